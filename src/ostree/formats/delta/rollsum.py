"""Chunks of a file that depend on its content, and which of them another file has (§5).

A chunk ends where a sum over the last 64 bytes, each weighted by its age, has its 13 lowest bits
set.  To find these places without looking at each byte by itself, blocks of the file become large
integers with a lane of 16 bits for each byte; shifting such an integer by lanes and adding it to
itself doubles the width of the window in all places at once.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes in the window of the sum.
WINDOW = 64
#: Largest chunk, in bytes.
MAX_CHUNK = 32768

_MASK = (1 << 13) - 1
#: What the sum is while the window holds nothing but zeros.
_START = WINDOW * (WINDOW - 1) * 31
_LANE = 16
_BLOCK = 1 << 16
_FOUND = b"\xff\x1f"


class Match:
    """A piece of the new file that the old one has.

    Attributes:
        offset: Where it is in the new file.
        size: Its bytes.
        source: Where it is in the old file.
    """

    __slots__ = ("offset", "size", "source")

    def __init__(self, offset: int, size: int, source: int) -> None:
        self.offset = offset
        self.size = size
        self.source = source

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Match):
            return NotImplemented
        return (self.offset, self.size, self.source) == (other.offset, other.size, other.source)

    __hash__ = None  # type: ignore[assignment]  # no use for it

    def __repr__(self) -> str:
        return f"Match({self.offset}, {self.size}, {self.source})"


class Matches:
    """What two files have in common.

    Attributes:
        matches: By ascending offset.
        keys: How many keys of the new file's chunks the old file has, too.
        chunks: How many chunks the new file has.
    """

    __slots__ = ("chunks", "keys", "matches")

    def __init__(self, matches: list[Match], keys: int, chunks: int) -> None:
        self.matches = matches
        self.keys = keys
        self.chunks = chunks

    @property
    def size(self) -> int:
        """Bytes that need not be transferred."""
        return sum(match.size for match in self.matches)


def chunks(data: bytes) -> list[tuple[int, int]]:
    """(offset, size) of each chunk."""
    boundaries = _boundaries(data)
    found = []
    start, size = 0, len(data)
    upcoming = next(boundaries, size)
    while start < size:
        end = _early_boundary(data, start)
        if not end:
            # With all of the window in the chunk, its start makes no difference any more.
            while upcoming < start + WINDOW:
                upcoming = next(boundaries, size + WINDOW)
            end = upcoming
            if end > size:
                break
        end = min(end, start + MAX_CHUNK)
        found.append((start, end - start))
        start = end
    # No further boundary: the rest is cut into pieces of equal size.
    found += [(at, min(MAX_CHUNK, size - at)) for at in range(start, size, MAX_CHUNK)]
    return found


def match(old: bytes, new: bytes) -> Matches | None:
    """What the new file has of the old one; None if it is less than half of its chunks.

    A chunk can only match where the beginnings of both files are the same for its length; that is
    an old mistake, kept so that the same deltas come out.
    """
    common = _common_start(old, new)
    if not common:
        return None
    wanted = chunks(new)
    count = len(wanted)
    if 100 * sum(size <= common for _, size in wanted) // count < _ACCEPTED:
        return None
    offered: dict[bytes, int] = {}
    sizes = set()
    for offset, size in chunks(old):
        if size <= common:
            offered.setdefault(old[offset : offset + size], offset)
            sizes.add(size)
    matches = []
    shared = set()
    for offset, size in wanted:
        if size in sizes:
            # The key is a checksum of the beginning, of the chunk's length: one for each length.
            shared.add(size)
            source = offered.get(new[offset : offset + size])
            if source is not None:
                matches.append(Match(offset, size, source))
    if 100 * len(matches) // count < _ACCEPTED:
        return None
    return Matches(matches, len(shared), count)


#: Percent of chunks that have to match.
_ACCEPTED = 50


def _common_start(old: bytes, new: bytes) -> int:
    """How many bytes are the same at the beginning of both files."""
    limit = min(len(old), len(new), MAX_CHUNK)
    if old[:limit] == new[:limit]:
        return limit
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _early_boundary(data: bytes, start: int) -> int:
    """The end of a chunk that ends before it fills the window; 0 if it does not."""
    first = weighted = 0
    for at, byte in enumerate(data[start : start + WINDOW - 1], start + 1):
        first += byte
        weighted += first
        if (weighted + _START) & _MASK == _MASK:
            return at
    return 0


def _boundaries(data: bytes) -> Iterator[int]:
    """Every place behind a byte where a window full of data has the sum of a boundary."""
    size = len(data)
    for start in range(0, size, _BLOCK):
        # Behind the window that the block before has looked at already.
        begin = max(0, start - WINDOW + 1)
        block = data[begin : start + _BLOCK]
        sums = _sums(block)
        at = -1
        while True:
            at = sums.find(_FOUND, at + 1)
            if at < 0:
                break
            place = begin + at // 2 + 1
            if not at % 2 and place >= begin + WINDOW:
                yield place


def _sums(block: bytes) -> bytes:
    """Behind each byte the lowest 13 bits of the sum, in lanes of two bytes.

    Those of the first 63 bytes are of no use.  The width of the window is doubled step by step:
    the weighted sum of twice the width is that of the newer half, and that of the older half with
    as much as the width added to each weight.  Before a lane could overflow it is cut to what can
    still matter.
    """
    count = len(block)
    lanes = bytearray(2 * count)
    lanes[::2] = block
    plain = weighted = int.from_bytes(lanes, "little")
    ones = int.from_bytes(b"\1\0" * (count + WINDOW), "little")
    for power in range(6):
        width = 1 << power
        if power == 4:
            plain_part, weighted = plain & 0x1FF * ones, weighted & _MASK * ones
        elif power == 5:
            plain_part, weighted = plain & 0xFF * ones, weighted & _MASK * ones
        else:
            plain_part = plain
        weighted += (weighted << _LANE * width) + (plain_part << _LANE * width + power)
        if power < 5:
            plain += plain << _LANE * width
    weighted = (weighted + (_START & _MASK) * ones) & _MASK * ones
    return weighted.to_bytes(2 * (count + 2 * WINDOW), "little")[: 2 * count]
