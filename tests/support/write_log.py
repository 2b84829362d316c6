"""Every write to a disk recorded in order, and the disk as a power cut would have left it.

QEMU's ``blklogwrites`` driver writes the log, in the format of dm-log-writes: a sector of
superblock, then for each write or flush a sector of header and the data.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_MAGIC = 0x6A736677736872
_FLUSH, _FUA, _DISCARD = 1, 2, 4


class Entry(NamedTuple):
    """A write, or a flush if it has no sectors.

    Attributes:
        sector: Where on the disk.
        sectors: How many sectors.
        flags: Bits: flush, forced to the disk at once, discard.
        position: Where in the log the data is.
    """

    sector: int
    sectors: int
    flags: int
    position: int


class WriteLog:
    """A log, as far as it is written.

    Args:
        path: The log.
        limit: Entries after that many are left out.
    """

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self._file = path.open("rb")
        magic, _, count, self._size = struct.unpack("<QQQI", self._file.read(28))
        assert magic == _MAGIC
        self.entries: list[Entry] = []
        position = self._size
        for _ in range(count if limit is None else min(count, limit)):
            self._file.seek(position)
            sector, sectors, flags, _ = struct.unpack("<QQQQ", self._file.read(32))
            position += self._size
            self.entries.append(Entry(sector, sectors, flags, position))
            if not flags & _DISCARD:
                position += sectors * self._size

    def close(self) -> None:
        self._file.close()

    def apply(self, entries: list[Entry], image: BinaryIO) -> None:
        """Make writes; what is discarded may stay readable, and does here."""
        for entry in entries:
            if entry.sectors and not entry.flags & _DISCARD:
                self._file.seek(entry.position)
                image.seek(entry.sector * self._size)
                image.write(self._file.read(entry.sectors * self._size))

    def states(self, generator: random.Random) -> Iterator[tuple[str, list[Entry]]]:
        """What may be on the disk: names, and the writes that made it.

        After each entry all that came before; and before each flush what was flushed already with
        nothing, or some, of what came since: caches forget, and reorder.
        """
        done: list[Entry] = []
        loose: list[Entry] = []
        for number, entry in enumerate(self.entries):
            if entry.flags & _FLUSH:
                if loose:
                    forced = [each for each in loose if each.flags & _FUA]
                    yield f"before flush {number}, all lost", done + forced
                    some = [e for e in loose if e.flags & _FUA or generator.random() < 0.5]
                    yield f"before flush {number}, some lost", done + some
                done += loose
                loose = []
            loose.append(entry)
            yield f"after entry {number}", done + loose
