"""Names of static deltas and where their files lie (static deltas §2)."""

from __future__ import annotations

from base64 import b64decode, b64encode

from ostree.types import Checksum

#: Characters of a checksum in the modified base64.
_LENGTH = 43


class DeltaName:
    """From which commit to which a delta leads; prints as ``FROM-TO`` or ``TO``.

    Attributes:
        source: The commit that a client must have; None from scratch.
        target: The commit that the client gets.
    """

    __slots__ = ("source", "target")

    def __init__(self, source: Checksum | None, target: Checksum) -> None:
        self.source = source
        self.target = target

    @classmethod
    def parse(cls, text: str) -> DeltaName:
        """The name in hex.

        Raises:
            FormatError: ``Invalid rev X``.
        """
        first, dash, rest = text.partition("-")
        if not dash:
            return cls(None, Checksum(first))
        return cls(Checksum(first), Checksum(rest))

    @classmethod
    def of_directory(cls, encoded: str) -> DeltaName | None:
        """The delta of a directory, given as both of its names joined; None if it is of none."""
        first, dash, rest = encoded.partition("-")
        target = _decode(rest if dash else first)
        source = _decode(first) if dash else None
        if target is None or (dash and source is None):
            return None
        return cls(source, target)

    @property
    def directory(self) -> str:
        """The directory of its files, relative to the repository: ``deltas/AB/REST``."""
        encoded = encode_checksum(self.target)
        if self.source is not None:
            encoded = f"{encode_checksum(self.source)}-{encoded}"
        return f"deltas/{encoded[:2]}/{encoded[2:]}"

    @property
    def superblock(self) -> str:
        """The path of its superblock, relative to the repository."""
        return f"{self.directory}/superblock"

    def part(self, index: int) -> str:
        """The path of a part, relative to the repository; the key of an inline part, too."""
        return f"{self.directory}/{index}"

    @property
    def commitmeta_key(self) -> str:
        """The key of the target's detached metadata in a superblock."""
        return f"{self.directory}/commitmeta"

    def __str__(self) -> str:
        return self.target if self.source is None else f"{self.source}-{self.target}"

    def __repr__(self) -> str:
        return f"DeltaName({self})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DeltaName):
            return NotImplemented
        return self.source == other.source and self.target == other.target

    def __hash__(self) -> int:
        return hash((self.source, self.target))


def index_path(target: Checksum) -> str:
    """The path of the index of a target commit, relative to the repository."""
    encoded = encode_checksum(target)
    return f"delta-indexes/{encoded[:2]}/{encoded[2:]}.index"


def target_of_index(prefix: str, name: str) -> Checksum | None:
    """The target commit of an index file in a directory; None if it is no index."""
    stem, dot, extension = name.rpartition(".")
    return _decode(prefix + stem) if dot and extension == "index" else None


def encode_checksum(checksum: Checksum) -> str:
    """The modified base64 of a checksum: 43 characters."""
    return b64encode(checksum.digest).decode().rstrip("=").replace("/", "_")


def _decode(encoded: str) -> Checksum | None:
    if len(encoded) != _LENGTH or not encoded.isascii() or "/" in encoded:
        return None
    try:
        digest = b64decode(f"{encoded.replace('_', '/')}=", validate=True)
    except ValueError:
        return None
    return Checksum.of_digest(digest)
