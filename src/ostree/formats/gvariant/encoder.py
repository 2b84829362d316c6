"""Writing values as serialised GVariants (format §1.2).

For every type a writer is put together once from the writers of its parts.  A writer appends to
a buffer whose start is the start of the outermost value, pads as its alignment needs, and checks
what it is given; it is told how many containers are around it.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct, pack
from struct import error as struct_error

from ostree.errors import FormatError
from ostree.formats.gvariant.decoder import OFFSET_CODES, STRUCT_CODES
from ostree.formats.gvariant.type_string import (
    MAX_DEPTH,
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

    Writer: TypeAlias = Callable[[bytearray, Value, int], None]

_SHOWN = 60


def encode_value(info: TypeInfo, value: Value) -> bytes:
    """The normal form of a value.

    Raises:
        FormatError: if the value is not one of the type.
    """
    out = bytearray()
    _writer(info)(out, value, 0)
    return bytes(out)


def check_value(info: TypeInfo, value: Value) -> None:
    """Refuse what is not a value of a type.

    A variant that was nested too deep to be read has an empty tuple in its place, which is itself
    too deep to be written; that much is let pass.

    Raises:
        FormatError: if the value is not one of the type.
    """
    _writer(info)(bytearray(), value, -2)


def mismatch(type: str, value: Value) -> FormatError:
    """The error for a value that is not one of its type."""
    shown = repr(value)
    if len(shown) > _SHOWN:
        shown = shown[:_SHOWN] + "…"
    return FormatError(f"Not a value of GVariant type '{type}': {shown}")


def _writer(info: TypeInfo) -> Writer:
    return _remembered(info.text) if len(info.text) <= 255 else _make_writer(info)


@lru_cache(maxsize=256)
def _remembered(text: str) -> Writer:
    return _make_writer(type_info(text))


def _make_writer(info: TypeInfo) -> Writer:
    kind = info.kind
    if kind in "sog":
        return _string_writer(kind)
    if kind == "v":
        return _write_variant
    if kind == "b":
        return _write_boolean
    if kind == "d":
        return _write_double
    if kind == "m":
        return _maybe_writer(info)
    if kind == "a":
        return _write_bytes if info.element.kind == "y" else _array_writer(info)
    if kind in STRUCT_CODES:
        return _integer_writer(kind, info.alignment)
    return _tuple_writer(info)


def _integer_writer(kind: str, alignment: int) -> Writer:
    code = Struct("<" + STRUCT_CODES[kind])
    mask = alignment - 1

    def write(out: bytearray, value: Value, _depth: int) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise mismatch(kind, value)
        try:
            packed = code.pack(value)
        except struct_error:
            raise mismatch(kind, value) from None
        out += bytes(-len(out) & mask)
        out += packed

    return write


def _write_boolean(out: bytearray, value: Value, _depth: int) -> None:
    if not isinstance(value, bool):
        raise mismatch("b", value)
    out.append(value)


def _write_double(out: bytearray, value: Value, _depth: int) -> None:
    if not isinstance(value, (float, int)) or isinstance(value, bool):
        raise mismatch("d", value)
    try:
        packed = pack("<d", value)
    except (struct_error, OverflowError):
        raise mismatch("d", value) from None
    out += bytes(-len(out) & 7)
    out += packed


def _string_writer(kind: str) -> Writer:
    is_valid = {"s": None, "o": is_object_path, "g": is_signature}[kind]

    def write(out: bytearray, value: Value, _depth: int) -> None:
        if not isinstance(value, str) or "\0" in value:
            raise mismatch(kind, value)
        if is_valid is not None and not is_valid(value):
            raise mismatch(kind, value)
        try:
            out += value.encode()
        except UnicodeEncodeError:
            raise mismatch(kind, value) from None
        out.append(0)

    return write


def _write_bytes(out: bytearray, value: Value, _depth: int) -> None:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise mismatch("ay", value)
    out += value


def _write_variant(out: bytearray, value: Value, depth: int) -> None:
    if not isinstance(value, Variant):
        raise mismatch("v", value)
    info = type_info(value.type)
    if depth >= MAX_DEPTH - info.depth:
        raise FormatError("GVariant variants are nested too deep")
    out += bytes(-len(out) & 7)
    _writer(info)(out, value.value, depth + 1)
    out.append(0)
    out += info.text.encode()


def _maybe_writer(info: TypeInfo) -> Writer:
    write_element = _make_writer(info.element)
    mask = info.alignment - 1
    terminated = not info.element.size

    def write(out: bytearray, value: Value, depth: int) -> None:
        out += bytes(-len(out) & mask)
        if value is None:
            return
        if not isinstance(value, Just):
            raise mismatch(info.text, value)
        write_element(out, value.value, depth + 1)
        if terminated:
            out.append(0)

    return write


def _array_writer(info: TypeInfo) -> Writer:
    write_element = _make_writer(info.element)
    mask = info.alignment - 1
    framed = not info.element.size

    def write(out: bytearray, value: Value, depth: int) -> None:
        if not isinstance(value, (list, tuple)):
            raise mismatch(info.text, value)
        out += bytes(-len(out) & mask)
        depth += 1
        if not framed:
            for element in value:
                write_element(out, element, depth)
            return
        start = len(out)
        ends = []
        for element in value:
            write_element(out, element, depth)
            ends.append(len(out) - start)
        out += _framing(ends, len(out) - start)

    return write


def _tuple_writer(info: TypeInfo) -> Writer:
    last = len(info.members) - 1
    parts = [
        (_make_writer(member), not member.size and index != last)
        for index, member in enumerate(info.members)
    ]
    count = len(parts)
    mask = info.alignment - 1
    fixed = info.size

    def write(out: bytearray, value: Value, depth: int) -> None:
        if not isinstance(value, tuple) or len(value) != count:
            raise mismatch(info.text, value)
        out += bytes(-len(out) & mask)
        depth += 1
        start = len(out)
        ends = []
        for (write_member, framed), member in zip(parts, value, strict=True):
            write_member(out, member, depth)
            if framed:
                ends.append(len(out) - start)
        if fixed:
            out += bytes(start + fixed - len(out))
        elif ends:
            ends.reverse()
            out += _framing(ends, len(out) - start)

    return write


def _framing(ends: list[int], body: int) -> bytes:
    """The framing offsets of a container, as narrow as its size with them allows."""
    count = len(ends)
    width = 1
    while body + count * width >= 1 << (8 * width):
        width *= 2
    return pack(f"<{count}{OFFSET_CODES[width]}", *ends)
