"""Detached metadata of a commit ``a{sv}`` (repository format §5.2), and tombstones (§2.5)."""

from __future__ import annotations

from ostree.formats import gvariant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.gvariant import Variant
    from ostree.types import Checksum

TYPE = "a{sv}"


def encode(entries: Sequence[tuple[str, Variant]]) -> bytes:
    """Serialise in the given order."""
    return gvariant.encode(TYPE, list(entries))


def decode(data: bytes) -> list[tuple[str, Variant]]:
    """Parse; an empty file is an empty dictionary.

    Raises:
        FormatError: if not in normal form.
    """
    entries: list[tuple[str, Variant]] = gvariant.decode(TYPE, data)
    return entries


def encode_tombstone(commit: Checksum) -> bytes:
    """The tombstone of a deleted commit: 78 bytes."""
    return encode([("commit", gvariant.Variant("ay", commit.encode() + b"\0"))])
