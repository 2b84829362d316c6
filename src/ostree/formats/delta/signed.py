"""The wrapper of a signed superblock, ``(taya{sv})`` (static deltas §3.6)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.gvariant import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TYPE = "(taya{sv})"
MAGIC = b"OSTSGNDT"
_PREFIX = "ostree.sign."


class SignedSuperblock:
    """A superblock with its signatures.

    Attributes:
        superblock: The bytes that are signed.
        signatures: Those of each engine, by the engine's name.
    """

    __slots__ = ("signatures", "superblock")

    def __init__(self, superblock: bytes, signatures: Mapping[str, Sequence[bytes]]) -> None:
        self.superblock = superblock
        self.signatures = {name: list(found) for name, found in signatures.items()}


def encode(signed: SignedSuperblock) -> bytes:
    """Serialise."""
    entries = [(_PREFIX + name, Variant("aay", found)) for name, found in signed.signatures.items()]
    magic = int.from_bytes(MAGIC, "little")
    return gvariant.encode(TYPE, (magic, signed.superblock, entries))


def decode(data: bytes) -> SignedSuperblock | None:
    """Take the wrapper off; None if there is none, and the data is to be read as it is."""
    if not data.startswith(MAGIC):
        return None
    try:
        _, superblock, entries = gvariant.decode(TYPE, data)
    except FormatError:
        return None
    signatures = {
        name.removeprefix(_PREFIX): value.value if value.type == "aay" else []
        for name, value in reversed(entries)
        if name.startswith(_PREFIX)
    }
    return SignedSuperblock(superblock, signatures) if signatures else None


def unwrap(data: bytes) -> bytes:
    """The superblock itself, signed or not."""
    signed = decode(data)
    return data if signed is None else signed.superblock
