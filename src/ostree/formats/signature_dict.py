"""Signatures in the dictionaries that hold them (signatures §1): ``a{sv}`` with ``aay`` values.

Detached metadata of commits, ``summary.sig`` and the wrapper of signed static deltas are such
dictionaries.  Others may have written them, so readers take what is there: damaged bytes read as
if what they damage were missing, and a value of another type is no value.
"""

from __future__ import annotations

from ostree.formats import gvariant
from ostree.formats.gvariant import Variant
from ostree.formats.hash_order import HashDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.gvariant.value import Value

    Dictionary = Sequence[tuple[str, Variant]]

_TYPE = "a{sv}"
_SIGNATURES = "aay"


def decode(data: bytes) -> list[tuple[str, Variant]]:
    """The entries of a dictionary that may be damaged, in stored order; empty for no bytes."""
    entries: list[tuple[str, Variant]] = gvariant.decode(_TYPE, data, strict=False)
    return entries


def encode(dictionary: Dictionary) -> bytes:
    """Serialise in the given order."""
    return gvariant.encode(_TYPE, list(dictionary))


def signatures(dictionary: Dictionary, key: str) -> list[bytes] | None:
    """The signatures under a key, oldest first; None if it has no value of the right type."""
    found: list[bytes] | None = gvariant.lookup(dictionary, key, _SIGNATURES)
    return found


def with_signature(dictionary: Dictionary, key: str, signature: bytes) -> list[tuple[str, Variant]]:
    """The dictionary with one more signature, in the order upstream writes it."""
    return with_signatures(dictionary, key, [*(signatures(dictionary, key) or ()), signature])


def with_signatures(
    dictionary: Dictionary, key: str, values: Sequence[bytes]
) -> list[tuple[str, Variant]]:
    """The dictionary with these signatures under a key, or without the key if there are none."""
    table = HashDict()
    for name, value in dictionary:
        if name not in table:
            table.insert(name, value)
    if values:
        table.insert(key, Variant(_SIGNATURES, list(values)))
    else:
        table.remove(key)
    entries: list[tuple[str, Value]] = table.items()
    return entries
