"""Sizes of objects in commit metadata: vectors, old entries, damaged entries."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats import sizes
from ostree.formats.sizes import ObjectSize
from ostree.types import Checksum, ObjectType
from support.vectors import BIG, HELLO, LINK, META_0755, ROOT_TREE, SIZES


@pytest.mark.parametrize(
    "size",
    [
        ObjectSize(HELLO, 42, 6, ObjectType.FILE),
        ObjectSize(BIG, 45, 1000, ObjectType.FILE),
        ObjectSize(LINK, 43, 9, ObjectType.FILE),
        ObjectSize(ROOT_TREE, 343, 343, ObjectType.DIRTREE),
        ObjectSize(META_0755, 12, 12, ObjectType.DIRMETA),
    ],
)
def test_entries_of_tree_t(size: ObjectSize) -> None:
    data = size.checksum.digest + bytes.fromhex(SIZES[size.checksum])

    assert sizes.encode_entry(size) == data
    assert sizes.decode_entry(data) == size


def test_entries_are_sorted_and_each_object_comes_once() -> None:
    entries = [
        sizes.decode_entry(checksum.digest + bytes.fromhex(rest))
        for checksum, rest in SIZES.items()
    ]

    encoded = sizes.encode([*reversed(entries), *entries])

    assert encoded == sorted(
        checksum.digest + bytes.fromhex(rest) for checksum, rest in SIZES.items()
    )


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (1000, "e807"),
        (1 << 63, "80" * 9 + "01"),
        ((1 << 64) - 1, "ff" * 9 + "01"),
    ],
)
def test_numbers_are_unsigned_leb128(value: int, data: str) -> None:
    raw = bytes.fromhex(data)

    assert sizes.encode_varint(value) == raw
    assert sizes.decode_varint(b"??" + raw + b"?", 2) == (value, 2 + len(raw))


@pytest.mark.parametrize("data", ["", "80", "ff" * 9, "ff" * 9 + "02", "80" * 10 + "01"])
def test_numbers_that_do_not_end_or_fit_are_refused(data: str) -> None:
    with pytest.raises(FormatError) as caught:
        sizes.decode_varint(bytes.fromhex(data), 0)

    assert str(caught.value) == "Unexpected EOF reading ostree.sizes varint"


def test_an_entry_without_a_type_is_a_file() -> None:
    size = sizes.decode_entry(HELLO.digest + b"\x2a\x06")

    assert size == ObjectSize(HELLO, 42, 6, ObjectType.FILE)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Invalid checksum of length 0 expected 32"),
        (HELLO.digest[:31], "Invalid checksum of length 31 expected 32"),
        (HELLO.digest, "Unexpected EOF reading ostree.sizes varint"),
        (HELLO.digest + b"\x2a", "Unexpected EOF reading ostree.sizes varint"),
        (HELLO.digest + b"\x2a\x06\x00", "Unexpected ostree.sizes object type 0"),
        (HELLO.digest + b"\x2a\x06\x05", "Unexpected ostree.sizes object type 5"),
    ],
)
def test_damaged_entries_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        sizes.decode_entry(data)

    assert str(caught.value) == message


def test_sizes_are_values() -> None:
    one = ObjectSize(Checksum("0" * 64), 1, 2, ObjectType.FILE)

    assert one == ObjectSize(Checksum("0" * 64), 1, 2, ObjectType.FILE)
    assert one != ObjectSize(Checksum("0" * 64), 1, 3, ObjectType.FILE)
    assert len({one, ObjectSize(Checksum("0" * 64), 1, 2, ObjectType.FILE)}) == 1
