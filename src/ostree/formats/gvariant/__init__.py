"""GVariant serialisation, the container of every OSTree object (format §1).

Values are plain Python values; see :mod:`ostree.formats.gvariant.value` for which type has
which.  Bytes are always those of a little-endian machine.
"""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.gvariant.decoder import decode_normal
from ostree.formats.gvariant.type_string import type_info
from ostree.formats.gvariant.value import Just, Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from ostree.formats.gvariant.decoder import Data
    from ostree.formats.gvariant.value import Value

    Buffer: TypeAlias = bytes | bytearray | memoryview

__all__ = ["Just", "Variant", "byteswap", "decode", "encode", "is_normal", "lookup"]


def encode(type: str, value: Value) -> bytes:
    """The serialised value, in normal form.

    Arrays may be given as lists or tuples.

    Raises:
        FormatError: if the type string is wrong or the value is not one of the type.
    """
    from ostree.formats.gvariant.encoder import encode_value

    return encode_value(type_info(type), value)


def decode(type: str, data: Buffer, *, strict: bool = True) -> Value:
    """The value that data holds.

    Args:
        type: The type string.
        data: The serialised value, from its first to its last byte.
        strict: Refuse what is not in normal form.  Otherwise what is wrong becomes its type's
            default (zero, empty, ``()`` in a variant) as GLib does it, and nothing is refused.

    Raises:
        FormatError: if the type string is wrong; if strict, ``Not normal form`` with the offset
            of the first thing that is wrong.
    """
    info = type_info(type)
    whole = _flat(data)
    try:
        return decode_normal(info, whole)
    except FormatError:
        if strict:
            raise
    from ostree.formats.gvariant.lenient import decode_anything

    return decode_anything(info, whole)


def is_normal(type: str, data: Buffer) -> bool:
    """Whether data is in normal form: encoding what it holds would give the same bytes.

    Raises:
        FormatError: if the type string is wrong.
    """
    info = type_info(type)
    try:
        decode_normal(info, _flat(data))
    except FormatError:
        return False
    return True


def byteswap(type: str, value: Value) -> Value:
    """The value with the bytes of every number reversed, inside variants too.

    Raises:
        FormatError: if the type string is wrong or the value is not one of the type.
    """
    from ostree.formats.gvariant.swap import swap

    return swap(type_info(type), value)


def lookup(pairs: Iterable[tuple[str, Variant]], key: str, type: str | None = None) -> Value:
    """The value of the first entry of an ``a{sv}`` with that key.

    Returns:
        The value without its variant, or ``None`` if there is no such entry or its value is not
        of the type asked for.
    """
    for name, variant in pairs:
        if name == key:
            return variant.value if type is None or variant.type == type else None
    return None


def _flat(data: Buffer) -> Data:
    """The data as something whose items are bytes."""
    if isinstance(data, bytes):
        return data
    view = memoryview(data)
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")
