"""Reversing the byte order of the numbers in a value."""

from __future__ import annotations

from struct import pack, unpack

from ostree.formats.gvariant.decoder import STRUCT_CODES
from ostree.formats.gvariant.encoder import check_value
from ostree.formats.gvariant.type_string import TypeInfo, type_info
from ostree.formats.gvariant.value import Just, Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.gvariant.value import Value

_SWAPPABLE = frozenset("nqiuhxtdv")


def swap(info: TypeInfo, value: Value) -> Value:
    """The value with the bytes of every number reversed, inside variants too.

    Raises:
        FormatError: if the value is not one of the type.
    """
    check_value(info, value)
    return _swapped(info, value)


def _swapped(info: TypeInfo, value: Value) -> Value:
    if _SWAPPABLE.isdisjoint(info.text) or value is None:
        return value
    kind = info.kind
    if kind == "v":
        return Variant(value.type, _swapped(type_info(value.type), value.value))
    if kind == "m":
        return Just(_swapped(info.element, value.value))
    if kind == "a":
        return [_swapped(info.element, element) for element in value]
    if info.members:
        return tuple(map(_swapped, info.members, value))
    code = STRUCT_CODES[kind]
    return unpack(f">{code}", pack(f"<{code}", value))[0]
