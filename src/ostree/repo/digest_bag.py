"""Very many digests in little memory."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIZE = 32
#: Fewer digests than this are not looked through for duplicates.
_MIN_PENDING = 1 << 17


class DigestBag:
    """SHA-256 digests, 32 to 64 bytes of memory for each.

    A ``set`` of bytes takes two to three times as much, of checksums in hex five times.  The price
    is that the bag cannot be asked for one digest while it is filled: digests lie one behind the
    other in 256 heaps, by their first byte, and duplicates go when there may be many of them.
    Whoever goes through the directories of a repository looks at one heap at a time anyway.
    """

    __slots__ = ("_heaps", "_limit", "_pending")

    def __init__(self) -> None:
        self._heaps = [bytearray() for _ in range(256)]
        #: Digests added since the last look for duplicates.
        self._pending = 0
        self._limit = _MIN_PENDING

    def add(self, digests: Iterable[bytes]) -> None:
        """Put digests of 32 bytes in; those that are in it already do no harm."""
        heaps = self._heaps
        count = 0
        for digest in digests:
            heaps[digest[0]] += digest
            count += 1
        self._pending += count
        if self._pending > self._limit:
            self._drop_duplicates()

    def __len__(self) -> int:
        """How many different digests there are."""
        if self._pending:
            self._drop_duplicates()
        return sum(len(heap) for heap in self._heaps) // _SIZE

    def heap(self, first_byte: int) -> set[bytes]:
        """The digests that begin with a byte."""
        return set(_cut(self._heaps[first_byte]))

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, bytes) and digest in _cut(self._heaps[digest[0]])

    def _drop_duplicates(self) -> None:
        total = 0
        for number, heap in enumerate(self._heaps):
            unique = set(_cut(heap))
            total += len(unique)
            if len(unique) * _SIZE < len(heap):
                self._heaps[number] = bytearray().join(unique)
        self._pending = 0
        # As many may come again before the next look: the work stays in proportion to what is added.
        self._limit = max(_MIN_PENDING, total)


def _cut(heap: bytearray) -> Iterator[bytes]:
    whole = bytes(heap)
    return (whole[at : at + _SIZE] for at in range(0, len(whole), _SIZE))
