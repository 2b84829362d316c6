"""Very many digests in little memory, each of which can be asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.types import Checksum

_SIZE = 32
_EMPTY = bytes(_SIZE)
#: So many are kept as they came, which is quicker.
_MOST_RECENT = 1 << 15
#: Tables, and slots of one at first.
_TABLES, _SLOTS = 256, 256


class DigestSet:
    """Checksums that were seen: 43 to 85 bytes of memory for each, a ``set`` takes 230.

    Many of them lie in tables of bytes, with open addressing, that grow one at a time.  Where a
    digest lies depends on this process's secret: no one can choose digests that all collide.
    """

    __slots__ = ("_counts", "_has_empty", "_recent", "_tables")

    def __init__(self) -> None:
        self._recent: set[Checksum] = set()
        self._tables: list[bytearray] = []
        self._counts: list[int] = []
        #: Whether the digest of zeros, which marks a free slot, is in the set.
        self._has_empty = False

    def add(self, checksum: Checksum) -> bool:
        """Put one in; whether it was not there yet."""
        recent = self._recent
        if checksum in recent or (self._tables and self._is_settled(checksum.digest)):
            return False
        recent.add(checksum)
        if len(recent) >= _MOST_RECENT:
            self._settle()
        return True

    def update(self, checksums: Iterable[Checksum]) -> None:
        """Put several in."""
        for checksum in checksums:
            self.add(checksum)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._recent) + sum(self._counts) + self._has_empty

    def _is_settled(self, digest: bytes) -> bool:
        if digest == _EMPTY:
            return self._has_empty
        number = hash(digest)
        table = self._tables[number % _TABLES]
        at = _find(table, digest, number)
        return table[at : at + _SIZE] == digest

    def _settle(self) -> None:
        if not self._tables:
            self._tables = [bytearray(_SLOTS * _SIZE) for _ in range(_TABLES)]
            self._counts = [0] * _TABLES
        for checksum in self._recent:
            digest = checksum.digest
            if digest == _EMPTY:
                self._has_empty = True
                continue
            number = hash(digest)
            index = number % _TABLES
            table = self._tables[index]
            at = _find(table, digest, number)
            table[at : at + _SIZE] = digest
            self._counts[index] += 1
            if self._counts[index] * _SIZE * 4 > len(table) * 3:
                self._tables[index] = _enlarged(table)
        self._recent.clear()


def _find(table: bytearray, digest: bytes, number: int) -> int:
    """Where in a table a digest is, or is to be put."""
    size = len(table)
    at = number // _TABLES * _SIZE % size
    while (found := table[at : at + _SIZE]) != digest and found != _EMPTY:
        at = (at + _SIZE) % size
    return at


def _enlarged(table: bytearray) -> bytearray:
    """A table of twice the size with the same digests."""
    larger = bytearray(2 * len(table))
    for start in range(0, len(table), _SIZE):
        digest = bytes(table[start : start + _SIZE])
        if digest != _EMPTY:
            at = _find(larger, digest, hash(digest))
            larger[at : at + _SIZE] = digest
    return larger
