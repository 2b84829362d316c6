"""Every write to a disk recorded in order, and the disk as a power cut would have left it.

QEMU's ``blklogwrites`` driver writes the log, in the format of dm-log-writes: a sector of
superblock, then for each write or flush a sector of header and the data.
"""

from __future__ import annotations

import contextlib
import struct
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator
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


class State(NamedTuple):
    """What may be on the disk.

    Attributes:
        name: Tells what was lost.
        settled: The number of entries that are all on the disk.
        later: Those of the following ones that are.
    """

    name: str
    settled: int
    later: tuple[Entry, ...]


@contextlib.contextmanager
def recorded(disk: Path, log: Path, exported: Path) -> Iterator[None]:
    """Have a disk as the file ``exported``, all writes to which are logged."""
    with log.open("wb") as file:
        file.truncate(1 << 30)  # Sparse; the driver does not make it longer.
    exported.touch()
    nodes = (
        f"driver=file,node-name=f0,filename={disk}",
        "driver=raw,node-name=r0,file=f0",
        f"driver=file,node-name=f1,filename={log}",
        "driver=raw,node-name=l0,file=f1",
        (
            "driver=blklogwrites,node-name=d0,file=r0,log=l0,log-sector-size=512,"
            "log-super-update-interval=1"
        ),
    )
    export = f"type=fuse,id=e0,node-name=d0,writable=on,mountpoint={exported}"
    arguments = [word for node in nodes for word in ("--blockdev", node)]
    daemon = subprocess.Popen(["qemu-storage-daemon", *arguments, "--export", export])
    try:
        while exported.stat().st_size == 0:
            assert daemon.poll() is None, "qemu-storage-daemon has ended"
            time.sleep(0.02)
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def count_entries(log: Path) -> int:
    """How many entries a log has by now."""
    with log.open("rb") as file:
        magic, _, count, _ = struct.unpack("<QQQI", file.read(28))
    assert magic == _MAGIC
    return int(count)


class WriteLog:
    """A log, as far as it is written.

    Args:
        path: The log.
        limit: Entries after that many are left out.
    """

    def __init__(self, path: Path, limit: int) -> None:
        count = min(count_entries(path), limit)
        self._file = path.open("rb")
        self._file.seek(24)
        (self._size,) = struct.unpack("<I", self._file.read(4))
        self.entries: list[Entry] = []
        position = self._size
        for _ in range(count):
            self._file.seek(position)
            sector, sectors, flags, _ = struct.unpack("<QQQQ", self._file.read(32))
            position += self._size
            self.entries.append(Entry(sector, sectors, flags, position))
            if not flags & _DISCARD:
                position += sectors * self._size

    def close(self) -> None:
        self._file.close()

    def apply(self, entries: Iterable[Entry], image: BinaryIO) -> None:
        """Make writes; what is discarded may stay readable, and does here."""
        for entry in entries:
            if entry.sectors and not entry.flags & _DISCARD:
                self._file.seek(entry.position)
                image.seek(entry.sector * self._size)
                image.write(self._file.read(entry.sectors * self._size))

    def states(self, generator: random.Random, *, losses: int, start: int = 0) -> Iterator[State]:
        """What a power cut may leave, after each entry from the number ``start`` on.

        After each entry all that came before; and before each flush what was flushed already with
        nothing, or some, of what came since: caches forget, and reorder.

        Args:
            generator: Decides what is lost.
            losses: How many states with losses there are for each flush that has something to do;
                the first of them loses all that may be lost.
            start: Number of the first entry that is of interest.
        """
        settled = 0
        for number, entry in enumerate(self.entries):
            if entry.flags & _FLUSH:
                later = self.entries[settled:number]
                if later and number >= start:
                    for loss in range(losses):
                        kept = [
                            each
                            for each in later
                            if each.flags & _FUA or (loss and generator.random() < 0.5)
                        ]
                        yield State(f"before flush {number}, loss {loss}", settled, tuple(kept))
                settled = number
            if number >= start:
                later = self.entries[settled : number + 1]
                yield State(f"after entry {number}", settled, tuple(later))
