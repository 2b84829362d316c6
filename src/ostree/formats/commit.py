"""The commit object ``(a{sv}aya(say)sstayay)`` (repository format §2.5, §5.1)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.types import Checksum, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.gvariant import Variant
    from ostree.formats.gvariant.value import Value

TYPE = "(a{sv}aya(say)sstayay)"


class Commit:
    """A commit.

    Attributes:
        metadata: (key, value) in the order of the object; keys may repeat, the first counts.
        parent: The previous commit of the branch, if any.
        related: (name, checksum bytes); always empty in practice.
        subject: One line, may be empty.
        body: The rest of the message, may be empty.
        timestamp: Seconds since the epoch, UTC, unsigned 64 bits.
        root: Dirtree and dirmeta of the root directory.
    """

    __slots__ = ("body", "metadata", "parent", "related", "root", "subject", "timestamp")

    def __init__(
        self,
        root: TreeId,
        *,
        timestamp: int,
        parent: Checksum | None = None,
        subject: str = "",
        body: str = "",
        metadata: Sequence[tuple[str, Variant]] = (),
        related: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        self.root = root
        self.timestamp = timestamp
        self.parent = parent
        self.subject = subject
        self.body = body
        self.metadata = list(metadata)
        self.related = list(related)

    def metadata_value(self, key: str, type: str | None = None) -> Value:
        """The first value with that key (and type, if one is given), or None."""
        return gvariant.lookup(self.metadata, key, type)

    @property
    def content_checksum(self) -> Checksum:
        """Equal for two commits of the same tree."""
        import hashlib

        both = self.root.dirtree.digest + self.root.dirmeta.digest
        return Checksum.of_digest(hashlib.sha256(both).digest())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Commit):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"Commit({self.root}, timestamp={self.timestamp}, subject={self.subject!r})"


def encode(commit: Commit) -> bytes:
    """Serialise.

    Raises:
        FormatError: if a metadata key is empty or a value does not fit.
    """
    _check_keys(commit.metadata)
    return gvariant.encode(
        TYPE,
        (
            commit.metadata,
            commit.parent.digest if commit.parent else b"",
            commit.related,
            commit.subject,
            commit.body,
            _swap(commit.timestamp),
            commit.root.dirtree.digest,
            commit.root.dirmeta.digest,
        ),
    )


def decode(data: bytes) -> Commit:
    """Parse and validate.

    Raises:
        FormatError: if not in normal form, a key is empty or a checksum has not 32 bytes.
    """
    metadata, parent, related, subject, body, timestamp, dirtree, dirmeta = gvariant.decode(
        TYPE, data
    )
    _check_keys(metadata)
    for value, what in (
        (parent or bytes(32), "parent"),
        (dirtree, "tree content checksum"),
        (dirmeta, "tree metadata checksum"),
    ):
        if len(value) != 32:
            raise FormatError(
                f"Invalid commit {what}: Invalid checksum of length {len(value)} expected 32"
            )
    return Commit(
        TreeId(Checksum.of_digest(dirtree), Checksum.of_digest(dirmeta)),
        timestamp=_swap(timestamp),
        parent=Checksum.of_digest(parent) if parent else None,
        subject=subject,
        body=body,
        metadata=metadata,
        related=related,
    )


def _swap(timestamp: int) -> int:
    """Big-endian to little-endian and back: the one number that the object keeps big-endian."""
    return int.from_bytes(timestamp.to_bytes(8, "little"), "big")


def _check_keys(metadata: Sequence[tuple[str, Variant]]) -> None:
    for key, _ in metadata:
        if not key:
            raise FormatError("Empty metadata key")
