"""Commits: byte for byte those of the reference, and the words for damaged ones."""

from __future__ import annotations

import hashlib

import pytest

from ostree.errors import FormatError
from ostree.formats import commit, gvariant
from ostree.formats.commit import Commit
from ostree.formats.gvariant import Variant
from ostree.types import Checksum, TreeId
from support.vectors import (
    BINDINGS,
    BODY,
    COMMIT,
    CONTENT_CHECKSUM,
    META_0755,
    METADATA,
    MIXED_METADATA,
    ROOT_TREE,
    SUBJECT,
    TIMESTAMP,
    WITH_COLLECTION,
    WITH_MIXED_METADATA,
    WITH_PARENT,
)

ROOT = TreeId(ROOT_TREE, META_0755)
FIRST = Commit(ROOT, timestamp=TIMESTAMP, subject=SUBJECT, body=BODY, metadata=BINDINGS)
VECTORS = [
    (FIRST, METADATA[(COMMIT, "commit")], COMMIT),
    (
        Commit(
            ROOT, timestamp=TIMESTAMP + 1, subject="Second", parent=COMMIT, metadata=BINDINGS[1:]
        ),
        WITH_PARENT,
        "de20e2181d1aae7094225290c71dfa30b74342223bf322e55a312df41b3c1c64",
    ),
    (
        Commit(
            ROOT,
            timestamp=1,
            metadata=[
                ("ostree.ref-binding", Variant("as", ["alpha", "main", "zeta"])),
                ("ostree.collection-binding", Variant("s", "org.example.Os")),
            ],
        ),
        WITH_COLLECTION,
        "878fe1acbd05cc51603c2a183927a0d63e543801824a6344c8affaa540336851",
    ),
    (
        Commit(ROOT, timestamp=0, metadata=MIXED_METADATA),
        WITH_MIXED_METADATA,
        "9068a7e92f9b0cea1d586675c028712947d46f2912a28baa7395c1ae8bf0e89e",
    ),
]


def raw(
    *,
    metadata: list[tuple[str, Variant]] | None = None,
    parent: bytes = b"",
    dirtree: bytes = bytes(32),
    dirmeta: bytes = bytes(32),
) -> bytes:
    """Serialise what our own encoder would not."""
    return gvariant.encode(commit.TYPE, (metadata or [], parent, [], "", "", 0, dirtree, dirmeta))


@pytest.mark.parametrize(("value", "data", "checksum"), VECTORS)
def test_commits_of_the_reference(value: Commit, data: bytes, checksum: str) -> None:
    assert commit.encode(value) == data
    assert hashlib.sha256(data).hexdigest() == checksum
    assert commit.decode(data) == value


def test_a_commit_without_anything() -> None:
    data = commit.encode(Commit(ROOT, timestamp=0))

    assert len(data) == 86
    assert (
        hashlib.sha256(data).hexdigest()
        == "636cd8ff25e6bd08b6bed8781d3258f39c7290637286434824563429ff53b764"
    )


def test_content_checksum_is_of_the_tree_alone() -> None:
    assert FIRST.content_checksum == CONTENT_CHECKSUM
    assert Commit(ROOT, timestamp=5).content_checksum == CONTENT_CHECKSUM


@pytest.mark.parametrize("timestamp", [0, 1, 0x6553F100, (1 << 64) - 1])
def test_timestamps_are_big_endian_and_unsigned(timestamp: int) -> None:
    data = commit.encode(Commit(ROOT, timestamp=timestamp))

    assert timestamp.to_bytes(8, "big") in data
    assert commit.decode(data).timestamp == timestamp


def test_the_first_of_equal_keys_counts() -> None:
    metadata = [("k", Variant("s", "first")), ("k", Variant("s", "second")), ("n", Variant("u", 1))]

    value = commit.decode(commit.encode(Commit(ROOT, timestamp=0, metadata=metadata)))

    assert value.metadata == metadata
    assert value.metadata_value("k") == "first"
    assert value.metadata_value("k", "s") == "first"
    assert value.metadata_value("n", "s") is None
    assert value.metadata_value("other") is None


def test_related_objects_survive() -> None:
    value = Commit(ROOT, timestamp=0, related=[("name", b"\1\2")])

    assert commit.decode(commit.encode(value)) == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (raw(metadata=[("", Variant("s", ""))]), "Empty metadata key"),
        (raw(parent=bytes(31)), "Invalid commit parent: Invalid checksum of length 31 expected 32"),
        (
            raw(dirtree=bytes(33)),
            "Invalid commit tree content checksum: Invalid checksum of length 33 expected 32",
        ),
        (
            raw(dirmeta=b""),
            "Invalid commit tree metadata checksum: Invalid checksum of length 0 expected 32",
        ),
        (b"", "Not normal form"),
        (raw()[:-1], "Not normal form"),
        (raw() + b"x", "Not normal form"),
    ],
)
def test_other_bytes_are_refused_in_upstreams_words(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        commit.decode(data)

    assert str(caught.value) == message


def test_an_empty_key_is_not_written() -> None:
    with pytest.raises(FormatError) as caught:
        commit.encode(Commit(ROOT, timestamp=0, metadata=[("", Variant("s", ""))]))

    assert str(caught.value) == "Empty metadata key"


def test_members_are_checksums() -> None:
    value = commit.decode(METADATA[(COMMIT, "commit")])

    assert isinstance(value.root.dirtree, Checksum)
    assert isinstance(value.root.dirmeta, Checksum)
    assert value.parent is None
