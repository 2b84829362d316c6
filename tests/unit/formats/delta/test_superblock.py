"""Superblocks: the reference's example, byte orders, hostile fields."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats import commit as commit_format
from ostree.formats.delta import signed
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.name import DeltaName
from ostree.formats.delta.superblock import Fallback, PartHeader, Superblock
from ostree.formats.gvariant import Variant
from ostree.types import Checksum, ObjectType, TreeId

A = Checksum("5fc3fb0f012d693e7de24e93a84452bbc2015ab4d77012c3d26d1af2b7d83495")
B = Checksum("ead54b3cf1beb070d6b68997d6872bbd92297553ba63c8e983c492689a747117")
COMMIT = commit_format.encode(
    commit_format.Commit(TreeId(A, B), timestamp=1704153600, subject="B", parent=A)
)
numbers = st.integers(0, (1 << 64) - 1)
checksums = st.binary(min_size=32, max_size=32).map(Checksum.of_digest)
headers = st.builds(
    PartHeader,
    st.binary(min_size=32, max_size=32),
    numbers,
    numbers,
    st.lists(
        st.builds(lambda kind, name: bytes((kind,)) + name.digest, st.integers(1, 4), checksums),
        max_size=4,
    ).map(b"".join),
    st.integers(0, (1 << 32) - 1),
)
superblocks = st.builds(
    Superblock,
    st.builds(DeltaName, st.none() | checksums, checksums),
    st.just(COMMIT),
    st.lists(headers, max_size=3),
    st.lists(st.builds(Fallback, checksums, numbers, numbers), max_size=3),
    timestamp=numbers,
    metadata=st.lists(st.tuples(st.text("abc", min_size=1), st.just(Variant("u", 7))), max_size=2),
    endianness=st.sampled_from("lB"),
)


def swapped(number: int) -> int:
    """The number that is read if one of eight bytes is read in the other order."""
    return int.from_bytes(number.to_bytes(8, "big"), "little")


def fields(superblock: Superblock) -> object:
    return (
        superblock.name,
        superblock.commit,
        superblock.timestamp,
        superblock.endianness,
        [(p.version, p.digest, p.size, p.plain_size, p.objects) for p in superblock.parts],
        [(f.type, f.checksum, f.size, f.plain_size) for f in superblock.fallbacks],
    )


@given(superblocks)
def test_what_is_written_is_read_again(superblock: Superblock) -> None:
    data = superblock_format.encode(superblock)

    found = superblock_format.decode(data)

    assert fields(found) == fields(superblock)
    assert superblock_format.encode(found) == data


@given(st.binary(max_size=400))
def test_garbage_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(FormatError):
        superblock_format.decode(data)


def make(*parts: PartHeader, endianness: str = "l") -> Superblock:
    return Superblock(DeltaName(A, B), COMMIT, parts, timestamp=0, endianness=endianness)


def test_sizes_follow_the_byte_order_and_the_time_does_not() -> None:
    superblock = make(PartHeader(bytes(32), 301, 286, b""))
    superblock.timestamp = 0x6B035541

    little = superblock_format.encode(superblock)
    superblock.endianness = "B"
    big = superblock_format.encode(superblock)

    assert struct.pack(">Q", 0x6B035541) in little
    assert struct.pack(">Q", 0x6B035541) in big
    assert struct.pack("<QQ", 301, 286) in little
    assert struct.pack(">QQ", 301, 286) in big


def without_order(superblock: Superblock) -> bytes:
    """As an old release has written it: no word on the byte order."""
    data = superblock_format.encode(superblock)
    name, hidden = b"ostree.endianness", b"ostree.endiannesX"
    assert data.count(name) == 1
    return data.replace(name, hidden)


@pytest.mark.parametrize(
    ("size", "plain", "order"),
    [
        (301, 286, ""),
        (0, 0, ""),
        (swapped(593), 0, "B"),
        (swapped(593), swapped(482), "B"),
        # The little-endian delta of old releases that upstream ships with its tests, and misreads.
        (593, 482, "l"),
        (1, 0, "l"),
    ],
)
def test_the_byte_order_is_guessed_from_sizes(size: int, plain: int, order: str) -> None:
    """A part that is much larger than what is in it may be read the wrong way round."""
    objects = bytes((1,)) + bytes(32)

    found = superblock_format.decode(
        without_order(make(PartHeader(bytes(32), size, plain, objects)))
    )

    assert (found.endianness, found.guessed) == (order, True)


def test_without_parts_there_is_nothing_to_guess_from() -> None:
    found = superblock_format.decode(without_order(make()))

    assert (found.endianness, found.guessed) == ("", True)


def test_an_order_of_another_name_is_none() -> None:
    data = superblock_format.encode(make())
    at = data.index(b"ostree.endianness") + 24

    found = superblock_format.decode(data[:at] + b"x" + data[at + 1 :])

    assert (found.endianness, found.guessed) == ("", False)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (PartHeader(bytes(31), 0, 0, b""), "Invalid checksum of length 31 expected 32"),
        (PartHeader(bytes(32), 0, 0, bytes(34)), "Invalid checksum array length 34"),
        (PartHeader(bytes(32), 0, 0, bytes(33)), "Invalid object type 0 in static delta"),
        (PartHeader(bytes(32), 0, 0, b"\5" + bytes(32)), "Invalid object type 5 in static delta"),
    ],
)
def test_headers_that_cannot_be(part: PartHeader, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        superblock_format.decode(superblock_format.encode(make(part)))


def test_inline_parts_and_detached_metadata_are_found_under_the_deltas_own_path() -> None:
    superblock = make()
    name = superblock.name
    superblock.metadata += [
        (name.part(0), Variant("(yay)", (0x78, b"payload"))),
        (DeltaName(None, B).part(1), Variant("(yay)", (0, b"of another"))),
        (name.commitmeta_key, Variant("a{sv}", [("key", Variant("s", "value"))])),
    ]

    found = superblock_format.decode(superblock_format.encode(superblock))

    assert found.inline_part(0) == b"xpayload"
    assert found.inline_part(1) is None
    assert found.commitmeta == [("key", Variant("s", "value"))]


def test_a_wrapper_comes_off_and_a_superblock_without_stays() -> None:
    plain = superblock_format.encode(make())
    wrapped = signed.encode(signed.SignedSuperblock(plain, {"dummy": [b"SK1", b"SK2"]}))

    found = signed.decode(wrapped)

    assert wrapped.startswith(b"OSTSGNDT")
    assert found is not None
    assert (found.superblock, found.signatures) == (plain, {"dummy": [b"SK1", b"SK2"]})
    assert signed.unwrap(wrapped) == signed.unwrap(plain) == plain
    assert signed.decode(plain) is None
    with pytest.raises(FormatError, match="Invalid checksum of length 0 expected 32"):
        superblock_format.decode(wrapped)


@given(st.binary(max_size=60))
def test_the_magic_alone_is_no_wrapper(data: bytes) -> None:
    assert signed.decode(b"OSTSGNDT" + data) is None


def test_the_type_of_a_fallback_is_checked() -> None:
    superblock = make()
    superblock.fallbacks.append(Fallback(A, 1, 2, ObjectType.DIRTREE))

    assert superblock_format.decode(superblock_format.encode(superblock)).fallbacks[0].type == 2
