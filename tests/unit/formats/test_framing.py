"""Framing offsets: their width follows the final size, and only the shortest form is read."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.framing import (
    array_ends,
    join_array,
    pack_offsets,
    split_array,
    tuple_offset,
    width_for,
    width_in,
)


@pytest.mark.parametrize(
    ("body", "count", "width"),
    [
        (0, 0, 1),
        (254, 1, 1),
        (255, 1, 2),
        (253, 2, 1),
        (254, 2, 2),
        (65533, 1, 2),
        (65534, 1, 4),
        (65531, 2, 2),
        (65532, 2, 4),
        (0xFFFFFFFB, 1, 4),
        (0xFFFFFFFC, 1, 8),
    ],
)
def test_width_counts_the_offsets_themselves(body: int, count: int, width: int) -> None:
    assert width_for(body, count) == width


@pytest.mark.parametrize(
    ("size", "width"),
    [(0, 1), (255, 1), (256, 2), (65535, 2), (65536, 4), (0xFFFFFFFF, 4), (0x100000000, 8)],
)
def test_reader_sees_the_width_in_the_size(size: int, width: int) -> None:
    assert width_in(size) == width


def test_offsets_are_little_endian() -> None:
    assert pack_offsets((1, 0x1234), 2) == b"\x01\x00\x34\x12"
    assert pack_offsets((), 4) == b""
    assert pack_offsets((5,), 8) == b"\x05" + bytes(7)


@pytest.mark.parametrize(
    "sizes", [[], [0], [1], [0, 0, 3], [253], [254], [30] * 20, [65533], [700] * 99]
)
def test_arrays_are_those_of_the_general_codec(sizes: list[int]) -> None:
    elements = [b"x" * size for size in sizes]

    data = join_array(elements)

    assert data == gvariant.encode("aay", elements)
    assert split_array(data, "here") == elements
    assert len(array_ends(data, "here")) == len(elements)


@pytest.mark.parametrize(
    "data",
    [
        b"\x05",  # the table begins behind its own end
        b"ab\x03",  # an offset that points into the table
        b"ab\x02\x01\x02",  # ends that go back
        bytes(300),  # a table of offsets that are wider than needed
        b"a" * 256 + b"x\x00\x01",  # a table that is no whole number of offsets
    ],
)
def test_other_arrays_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="Not normal form") as caught:
        array_ends(data, "place")

    assert caught.value.field == "place"
    assert caught.value.offset is not None
    assert not gvariant.is_normal("aay", data)


def test_a_tuple_has_one_offset() -> None:
    assert tuple_offset(b"ab\0rest\x03", "x") == (3, 7)
    assert tuple_offset(b"\0", "x") == (0, 0)
    assert tuple_offset(b"\x01" * 298 + b"\x05\x00", "x") == (5, 298)


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"ab\x03", bytes(255) + b"\xff", bytes(300)[:-1] + b"\x7f"]
)
def test_offsets_outside_of_a_tuple_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="Not normal form"):
        tuple_offset(data, "x")
