"""Reading serialised GVariants that are in normal form (format §1.2, §1.3).

For every type a reader is put together once from the readers of its parts.  A reader is called
with the whole data, where its value starts and ends, and how many containers are around it; the
start is aligned already, and a value of fixed size has that size.  Every check that the normal
form asks for is made, so that encoding what was read gives the same bytes again; and as every
element then takes at least a byte of data or of framing, work is proportional to the data.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct, unpack_from

from ostree.errors import FormatError
from ostree.formats.gvariant.type_string import (
    MAX_DEPTH,
    MAX_LENGTH,
    TypeInfo,
    is_object_path,
    is_signature,
    type_info,
)
from ostree.formats.gvariant.value import Just, Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from ostree.formats.gvariant.value import Value

    Data: TypeAlias = bytes | memoryview
    Reader: TypeAlias = Callable[[Data, int, int, int], Value]

#: The codes of :mod:`struct` for types of fixed size.
STRUCT_CODES = {
    "y": "B",
    "b": "?",
    "n": "h",
    "q": "H",
    "i": "i",
    "u": "I",
    "h": "i",
    "x": "q",
    "t": "Q",
    "d": "d",
}
OFFSET_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}

_ZEROS = tuple(bytes(count) for count in range(8))
_CACHED_LENGTH = 255
_TAIL = 256


def abnormal(offset: int, detail: str) -> FormatError:
    """The error for data that is not in normal form, in the words of ostree's validators."""
    error = FormatError("Not normal form", offset=offset)
    error.add_note(f"byte {offset}: {detail}")
    return error


def offset_width(size: int) -> int:
    """How many bytes each framing offset takes in a container of that size."""
    if size <= 0xFF:
        return 1
    if size <= 0xFFFF:
        return 2
    if size <= 0xFFFFFFFF:
        return 4
    return 8


def last_nul(data: Data, start: int, end: int) -> int:
    """Where the last NUL of a part of the data is, or -1."""
    if isinstance(data, bytes):
        return data.rfind(0, start, end)
    tail = max(start, end - _TAIL)
    found = bytes(data[tail:end]).rfind(0)
    if found < 0 and tail > start:
        tail = start
        found = bytes(data[tail:end]).rfind(0)
    return found if found < 0 else tail + found


def decode_normal(info: TypeInfo, data: Data) -> Value:
    """The value of data in normal form.

    Raises:
        FormatError: ``Not normal form``, with the offset of the first thing wrong.
    """
    size = len(data)
    if info.size and size != info.size:
        raise abnormal(0, f"'{info.text}' takes {info.size} bytes, not {size}")
    return reader(info)(data, 0, size, 0)


def reader(info: TypeInfo) -> Reader:
    """The reader of a type."""
    if len(info.text) > _CACHED_LENGTH:
        return _make_reader(info)
    return _remembered(info.text)


@lru_cache(maxsize=256)
def _remembered(text: str) -> Reader:
    return _make_reader(type_info(text))


def _make_reader(info: TypeInfo) -> Reader:
    kind = info.kind
    if kind in "sog":
        return {"s": _read_string, "o": _read_object_path, "g": _read_signature}[kind]
    if kind == "v":
        return _read_variant
    if kind == "b":
        return _read_boolean
    if kind == "m":
        return _maybe_reader(info)
    if kind == "a":
        return _bytes if info.element.kind == "y" else _array_reader(info.element)
    if kind in STRUCT_CODES:
        return _number_reader(kind)
    if not info.members:
        return _read_unit
    if info.size:
        return _fixed_tuple_reader(info)
    return _tuple_reader(info)


def _number_reader(kind: str) -> Reader:
    unpack = Struct("<" + STRUCT_CODES[kind]).unpack_from

    def read(data: Data, start: int, _end: int, _depth: int) -> Value:
        return unpack(data, start)[0]

    return read


def _read_boolean(data: Data, start: int, _end: int, _depth: int) -> Value:
    byte = data[start]
    if byte > 1:
        raise abnormal(start, "boolean is neither 0 nor 1")
    return byte == 1


def _read_unit(data: Data, start: int, _end: int, _depth: int) -> Value:
    if data[start]:
        raise abnormal(start, "'()' is not zero")
    return ()


def _read_string(data: Data, start: int, end: int, _depth: int) -> Value:
    if start == end or data[end - 1]:
        raise abnormal(end, "string does not end in NUL")
    try:
        text = str(data[start : end - 1], "utf-8")
    except UnicodeDecodeError as error:
        raise abnormal(start + error.start, "string is not UTF-8") from None
    if "\0" in text:
        raise abnormal(start, "NUL inside a string")
    return text


def _read_object_path(data: Data, start: int, end: int, depth: int) -> Value:
    text = _read_string(data, start, end, depth)
    if not is_object_path(text):
        raise abnormal(start, "not an object path")
    return text


def _read_signature(data: Data, start: int, end: int, depth: int) -> Value:
    text = _read_string(data, start, end, depth)
    if not is_signature(text):
        raise abnormal(start, "not a signature")
    return text


def _bytes(data: Data, start: int, end: int, _depth: int) -> Value:
    return bytes(data[start:end])


def _read_variant(data: Data, start: int, end: int, depth: int) -> Value:
    nul = last_nul(data, start, end)
    if nul < 0 or end - nul > MAX_LENGTH:
        raise abnormal(end, "variant without a type")
    name = bytes(data[nul + 1 : end])
    try:
        text, read, size, levels = _child(name) if len(name) < _CACHED_LENGTH else _make_child(name)
    except (FormatError, UnicodeDecodeError):
        raise abnormal(nul + 1, "variant of no valid type") from None
    if depth >= MAX_DEPTH - levels:
        raise abnormal(start, "variants are nested too deep")
    if size and nul - start != size:
        raise abnormal(start, f"'{text}' takes {size} bytes, not {nul - start}")
    return Variant(text, read(data, start, nul, depth + 1))


def _make_child(name: bytes) -> tuple[str, Reader, int, int]:
    """The text, the reader, the fixed size and the depth of a variant's type."""
    info = type_info(name.decode("ascii"))
    return info.text, _make_reader(info), info.size, info.depth


_child = lru_cache(maxsize=256)(_make_child)


def _maybe_reader(info: TypeInfo) -> Reader:
    read_element = _make_reader(info.element)
    size = info.element.size

    def read(data: Data, start: int, end: int, depth: int) -> Value:
        if start == end:
            return None
        if not size:
            end -= 1
            if data[end]:
                raise abnormal(end, "maybe does not end in NUL")
        elif end - start != size:
            raise abnormal(start, f"maybe takes {size} bytes, not {end - start}")
        return Just(read_element(data, start, end, depth + 1))

    return read


def _array_reader(element: TypeInfo) -> Reader:
    if not element.size:
        return _variable_array_reader(element)
    if element.kind == "b":
        return _read_booleans
    if element.kind in STRUCT_CODES:
        return _number_array_reader(element)
    return _fixed_array_reader(element)


def _count(start: int, end: int, size: int) -> int:
    count, rest = divmod(end - start, size)
    if rest:
        raise abnormal(end - rest, "array ends inside an element")
    return count


def _read_booleans(data: Data, start: int, end: int, _depth: int) -> Value:
    values = bytes(data[start:end])
    wrong = values.lstrip(b"\0\1")
    if wrong:
        raise abnormal(end - len(wrong), "boolean is neither 0 nor 1")
    return [value == 1 for value in values]


def _number_array_reader(element: TypeInfo) -> Reader:
    code = STRUCT_CODES[element.kind]
    size = element.size

    def read(data: Data, start: int, end: int, _depth: int) -> Value:
        return list(unpack_from(f"<{_count(start, end, size)}{code}", data, start))

    return read


def _fixed_array_reader(element: TypeInfo) -> Reader:
    read_element = _make_reader(element)
    size = element.size

    def read(data: Data, start: int, end: int, depth: int) -> Value:
        _count(start, end, size)
        depth += 1
        return [read_element(data, at, at + size, depth) for at in range(start, end, size)]

    return read


def _variable_array_reader(element: TypeInfo) -> Reader:
    read_element = _make_reader(element)
    mask = element.alignment - 1

    def read(data: Data, start: int, end: int, depth: int) -> Value:
        if start == end:
            return []
        ends, table = _array_ends(data, start, end)
        values: list[Value] = []
        append = values.append
        depth += 1
        at = start
        for offset in ends:
            if at & mask:
                padding = -at & mask
                if data[at : at + padding] != _ZEROS[padding]:
                    raise abnormal(at, "padding is not zero")
                at += padding
            stop = start + offset
            if not at <= stop <= table:
                raise abnormal(at, f"array element would end at byte {stop}")
            append(read_element(data, at, stop, depth))
            at = stop
        return values

    return read


def _array_ends(data: Data, start: int, end: int) -> tuple[Data | tuple[int, ...], int]:
    """The ends of an array's elements, counted from its start, and where that table is."""
    size = end - start
    if size <= 0xFF:
        body = data[end - 1]
        table = start + body
        if table >= end:
            raise abnormal(end - 1, "array ends after its framing offsets")
        return data[table:end], table
    width = offset_width(size)
    body = int.from_bytes(data[end - width : end], "little")
    table = start + body
    count, rest = divmod(end - table, width)
    if count < 1 or rest:
        raise abnormal(end - width, "array ends after its framing offsets")
    check_width(body, count, width, end)
    return unpack_from(f"<{count}{OFFSET_CODES[width]}", data, table), table


def check_width(body: int, count: int, width: int, end: int) -> None:
    """Refuse framing offsets that could be narrower.

    Raises:
        FormatError: if half the width would do.
    """
    narrow = width >> 1
    if narrow and body + count * narrow < 1 << (8 * narrow):
        raise abnormal(end - width, "framing offsets are wider than needed")


def _fixed_tuple_reader(info: TypeInfo) -> Reader:
    codes = [STRUCT_CODES.get(member.kind, "") for member in info.members]
    unpadded = sum(member.size for member in info.members) == info.size
    if all(codes) and unpadded and "?" not in codes:
        unpack = Struct("<" + "".join(codes)).unpack_from

        def read_plain(data: Data, start: int, _end: int, _depth: int) -> Value:
            return unpack(data, start)

        return read_plain

    parts = [(_make_reader(member), member.alignment - 1, member.size) for member in info.members]

    def read(data: Data, start: int, end: int, depth: int) -> Value:
        values = []
        depth += 1
        at = start
        for read_member, mask, size in parts:
            if at & mask:
                at = _skip_padding(data, at, -at & mask)
            values.append(read_member(data, at, at + size, depth))
            at += size
        _skip_padding(data, at, end - at)
        return tuple(values)

    return read


def _skip_padding(data: Data, at: int, padding: int) -> int:
    if data[at : at + padding] != _ZEROS[padding]:
        raise abnormal(at, "padding is not zero")
    return at + padding


def _tuple_reader(info: TypeInfo) -> Reader:
    last = len(info.members) - 1
    parts = [
        (_make_reader(member), member.alignment - 1, member.size, index == last)
        for index, member in enumerate(info.members)
    ]
    offsets = sum(not size and not is_last for _read, _mask, size, is_last in parts)

    def read(data: Data, start: int, end: int, depth: int) -> Value:
        size = end - start
        width = 1 if size <= 0xFF else offset_width(size)
        table = end - offsets * width
        if table < start:
            raise abnormal(start, "tuple is too short for its framing offsets")
        if width > 1 and offsets:
            check_width(table - start, offsets, width, end)
        values = []
        depth += 1
        at = start
        frame = end
        for read_member, mask, size, is_last in parts:
            if at & mask:
                at = _skip_padding(data, at, -at & mask)
            if size:
                stop = at + size
            elif is_last:
                stop = table
            else:
                frame -= width
                if width == 1:
                    stop = start + data[frame]
                else:
                    stop = start + int.from_bytes(data[frame : frame + width], "little")
            if not at <= stop <= table:
                raise abnormal(at, f"tuple member would end at byte {stop}")
            values.append(read_member(data, at, stop, depth))
            at = stop
        if at != table:
            raise abnormal(at, "tuple has more bytes than its members")
        return tuple(values)

    return read
