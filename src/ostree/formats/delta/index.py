"""Delta indexes: which deltas lead to a commit (static deltas §7)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.delta.name import DeltaName
from ostree.formats.gvariant import Variant
from ostree.formats.hash_order import HashDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TYPE = "a{sv}"
#: Largest index that is accepted, in bytes.
MAX_SIZE = 128 << 20
_KEY = "ostree.static-deltas"


def encode(digests: Mapping[DeltaName, bytes]) -> bytes:
    """Serialise the SHA-256 of each delta's superblock file, in upstream's order."""
    # From scratch first, then by source: the order decides where keys that collide end up.
    names = sorted(digests, key=lambda name: (name.source or "", name.target))
    deltas = HashDict((str(name), Variant("ay", digests[name])) for name in names)
    return gvariant.encode(TYPE, [(_KEY, Variant(TYPE, deltas.items()))])


def decode(data: bytes) -> dict[DeltaName, bytes]:
    """The SHA-256 of each delta's superblock file.

    Raises:
        FormatError: if it is no index, or a name or digest in it is none.
    """
    if len(data) > MAX_SIZE:
        raise FormatError(f"Delta index is too large: {len(data)}")
    entries: list[tuple[str, Variant]] | None = gvariant.lookup(
        gvariant.decode(TYPE, data), _KEY, TYPE
    )
    return parse_digests((name, value.value) for name, value in entries or [] if value.type == "ay")


def parse_digests(pairs: Iterable[tuple[str, bytes]]) -> dict[DeltaName, bytes]:
    """Names and digests as an index or a summary lists them; of names that repeat the first.

    Raises:
        FormatError: if a name or digest is none.
    """
    found: dict[DeltaName, bytes] = {}
    for text, digest in pairs:
        if len(digest) != 32:
            raise FormatError(f"Invalid checksum of length {len(digest)} expected 32")
        found.setdefault(DeltaName.parse(text), digest)
    return found
