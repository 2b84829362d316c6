"""Framing offsets of GVariant containers (repository format §1.2), for the hand-written codecs.

The general codec is :mod:`ostree.formats.gvariant`; the few types that are read and written by the
ten thousand (dirtrees, file headers, extended attributes) have their own codecs, which share this.
"""

from __future__ import annotations

import struct

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


def width_for(body: int, count: int) -> int:
    """The width of each of ``count`` offsets after ``body`` bytes."""
    for width in (1, 2, 4):
        if body + count * width <= (1 << (8 * width)) - 1:
            return width
    return 8


def width_in(size: int) -> int:
    """The width of offsets in a container of ``size`` bytes, as a reader sees it."""
    if size <= 0xFF:
        return 1
    if size <= 0xFFFF:
        return 2
    return 4 if size <= 0xFFFFFFFF else 8


def pack_offsets(offsets: Sequence[int], width: int) -> bytes:
    """Offsets as little-endian integers of ``width`` bytes."""
    return struct.pack(f"<{len(offsets)}{_CODES[width]}", *offsets)


def join_array(elements: Sequence[bytes]) -> bytes:
    """An array of variable-size elements whose alignment is 1."""
    if not elements:
        return b""
    ends = []
    end = 0
    for element in elements:
        end += len(element)
        ends.append(end)
    return b"".join(elements) + pack_offsets(ends, width_for(end, len(ends)))


def array_ends(data: bytes, where: str) -> tuple[int, ...]:
    """The end offsets of an array of variable-size elements of alignment 1, checked.

    Raises:
        FormatError: if the offsets are not monotonic, minimal or within the data.
    """
    size = len(data)
    if size == 0:
        return ()
    width = width_in(size)
    body = int.from_bytes(data[size - width :], "little")
    table = size - body
    if body > size - width or table % width:
        raise FormatError("Not normal form", offset=size - width, field=where)
    count = table // width
    if width != width_for(body, count):
        raise FormatError("Not normal form", offset=body, field=where)
    ends: tuple[int, ...] = struct.unpack_from(f"<{count}{_CODES[width]}", data, body)
    start = 0
    for end in ends:
        if end < start:
            raise FormatError("Not normal form", offset=start, field=where)
        start = end
    return ends


def split_array(data: bytes, where: str) -> list[bytes]:
    """The elements of an array of variable-size elements of alignment 1.

    Raises:
        FormatError: as :func:`array_ends`.
    """
    elements = []
    start = 0
    for end in array_ends(data, where):
        elements.append(data[start:end])
        start = end
    return elements


def tuple_offset(data: bytes, where: str) -> tuple[int, int]:
    """The one framing offset of a tuple that has one, and where the offsets begin.

    Raises:
        FormatError: if it points outside the data, or the data is empty.
    """
    size = len(data)
    width = width_in(size)
    if size < width:
        raise FormatError("Not normal form", offset=0, field=where)
    body = size - width
    end = int.from_bytes(data[body:], "little")
    if end > body or width != width_for(body, 1):
        raise FormatError("Not normal form", offset=body, field=where)
    return end, body
