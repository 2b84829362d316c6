"""Entries of directories: vectors, all widths of offsets, and hostile names."""

from __future__ import annotations

import hashlib

import pytest

from ostree.errors import FormatError
from ostree.formats import dirtree, framing, gvariant
from ostree.formats.dirtree import DirTree
from ostree.types import Checksum
from support.vectors import (
    BIG,
    BIN_TREE,
    EMPTY,
    EMPTY_TREE,
    HELLO,
    LINK,
    META_0700,
    META_0755,
    METADATA,
    ROOT_TREE,
    RUN,
    SUB_TREE,
    XA,
)

TYPE = "(a(say)a(sayay))"
ONE = bytes(range(32))
TWO = bytes(range(32, 64))

TREES = {
    EMPTY_TREE: DirTree([], []),
    BIN_TREE: DirTree([("run.sh", RUN)], []),
    SUB_TREE: DirTree([("big.txt", BIG), ("xa", XA)], []),
    ROOT_TREE: DirTree(
        [("empty", EMPTY), ("hello.txt", HELLO), ("link", LINK)],
        [
            ("bin", BIN_TREE, META_0755),
            ("emptydir", EMPTY_TREE, META_0700),
            ("sub", SUB_TREE, META_0755),
        ],
    ),
}


def raw(files: list[tuple[str, bytes]], dirs: list[tuple[str, bytes, bytes]]) -> bytes:
    """Serialise what our own encoder would not."""
    return gvariant.encode(TYPE, (files, dirs))


@pytest.mark.parametrize("checksum", list(TREES))
def test_the_objects_of_tree_t(checksum: Checksum) -> None:
    data = dirtree.encode(TREES[checksum])

    assert data == METADATA[(checksum, "dirtree")]
    assert hashlib.sha256(data).hexdigest() == checksum
    assert dirtree.decode(data) == TREES[checksum]


def test_encoding_sorts_by_bytes() -> None:
    files = [("é", EMPTY), ("b", EMPTY), ("B", EMPTY), ("a-", EMPTY), ("a", EMPTY)]

    again = dirtree.decode(dirtree.encode(DirTree(files, [])))

    assert [name for name, _ in again.files] == ["B", "a", "a-", "b", "é"]


@pytest.mark.parametrize("length", [1, 180, 189, 190, 191, 221, 222, 223, 255, 65400, 65501, 70000])
def test_long_names_widen_the_offsets(length: int) -> None:
    """One, two and four bytes, of the entry's own offsets as of those around it."""
    tree = DirTree([("f" * length, EMPTY)], [("d" * length, EMPTY_TREE, META_0755)])

    data = dirtree.encode(tree)

    assert data == raw(
        [("f" * length, EMPTY.digest)], [("d" * length, EMPTY_TREE.digest, META_0755.digest)]
    )
    assert dirtree.decode(data) == tree


@pytest.mark.parametrize("count", [0, 1, 2, 6, 7, 200, 1500])
def test_any_number_of_entries(count: int) -> None:
    names = [f"{number:05}" for number in range(count)]
    tree = DirTree(
        [(name, HELLO) for name in names], [("d" + name, SUB_TREE, META_0700) for name in names]
    )

    data = dirtree.encode(tree)

    assert data == raw(
        [(name, HELLO.digest) for name in names],
        [("d" + name, SUB_TREE.digest, META_0700.digest) for name in names],
    )
    assert dirtree.decode(data) == tree


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "Invalid self-referential filename '.'"),
        ("..", "Invalid path uplink filename '..'"),
        ("a/b", "Invalid / in filename a/b"),
        ("../../etc/passwd", "Invalid / in filename ../../etc/passwd"),
        ("", "Invalid empty filename"),
    ],
)
def test_names_that_cannot_be_entries_are_refused(name: str, message: str) -> None:
    for data in (raw([(name, ONE)], []), raw([], [(name, ONE, TWO)])):
        with pytest.raises(FormatError) as caught:
            dirtree.decode(data)

        assert str(caught.value) == message


def test_names_that_are_not_utf8_are_refused() -> None:
    data = raw([("caf!", ONE)], []).replace(b"caf!", b"caf\xe9")

    with pytest.raises(FormatError) as caught:
        dirtree.decode(data)

    assert str(caught.value) == "Invalid UTF-8 in filename caf\ufffd"


@pytest.mark.parametrize(
    ("first", "second", "length"),
    [
        (ONE[:31], TWO, 31),
        (ONE, TWO[:31], 31),
        (ONE + b"x", TWO, 33),
        (ONE, TWO + b"x", 33),
        (b"", TWO, 0),
        (ONE, b"", 0),
    ],
)
def test_checksums_of_another_length_are_refused(first: bytes, second: bytes, length: int) -> None:
    message = f"Invalid checksum of length {length} expected 32"

    with pytest.raises(FormatError) as of_directory:
        dirtree.decode(raw([], [("d", first, second)]))

    assert str(of_directory.value) == message
    if len(first) != 32:
        with pytest.raises(FormatError) as of_file:
            dirtree.decode(raw([("f", first)], []))
        assert str(of_file.value) == message


def test_neither_order_nor_uniqueness_is_a_rule() -> None:
    """Such objects exist; whoever uses the names has to mind it."""
    data = raw([("b", ONE), ("a", ONE), ("a", TWO)], [("a", ONE, TWO)])

    tree = dirtree.decode(data)

    assert [name for name, _ in tree.files] == ["b", "a", "a"]
    assert [name for name, _, _ in tree.dirs] == ["a"]


@pytest.mark.parametrize("data", [b"", b"\x01", b"\0\0", METADATA[(ROOT_TREE, "dirtree")][:-1]])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="Not normal form"):
        dirtree.decode(data)


def test_names_on_disk_that_are_not_utf8_are_not_encoded() -> None:
    with pytest.raises(FormatError, match="Invalid UTF-8 in filename caf"):
        dirtree.encode(DirTree([("caf\udce9", EMPTY)], []))


# entries that are known --------------------------------------------------------------------------


def test_of_a_changed_directory_only_what_is_new_is_told() -> None:
    known = dirtree.KnownEntries()
    below = known.add(raw([("a", ONE), ("b", ONE)], [("sub", ONE, TWO), ("twin", ONE, TWO)]))

    changed = raw([("a", ONE), ("b", TWO), ("c", ONE)], [("sub", ONE, TWO), ("twin", TWO, TWO)])
    tree = dirtree.decode_changes(changed, known)

    assert below == {"sub": ONE.hex(), "twin": ONE.hex()}
    assert tree == DirTree(
        [("b", Checksum.of_digest(TWO)), ("c", Checksum.of_digest(ONE))],
        [("twin", Checksum.of_digest(TWO), Checksum.of_digest(TWO))],
    )


@pytest.mark.parametrize("name", ["..", "a/b", ""])
def test_what_is_not_known_is_judged(name: str) -> None:
    known = dirtree.KnownEntries()
    known.add(raw([("a", ONE)], []))

    with pytest.raises(FormatError):
        dirtree.decode_changes(raw([("a", ONE), (name, TWO)], []), known)
    with pytest.raises(FormatError):
        dirtree.decode_changes(raw([("a", ONE)], [(name, ONE, TWO)]), known)


def test_a_known_directory_does_not_vouch_for_a_file_of_the_same_bytes() -> None:
    known = dirtree.KnownEntries()
    known.add(raw([("f", ONE)], [("d", ONE, TWO)]))
    files, dirs = (framing.join_array([*entries]) for entries in (known.dirs, known.files))
    swapped = files + dirs

    with pytest.raises(FormatError):
        dirtree.decode_changes(swapped + framing.pack_offsets((len(files),), 1), known)
