"""Bytes that arrive piece by piece: few stay in memory, many go to the disk."""

from __future__ import annotations

from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | memoryview

#: Bytes that are held in memory.
_MOST_HELD = 16 << 20


class Spool(Closing):
    """A buffer that moves into an anonymous file when it becomes large.

    Args:
        dir_fd: The directory for that file.

    Attributes:
        size: Bytes so far.
    """

    __slots__ = ("_dir_fd", "_file", "_held", "size")

    def __init__(self, dir_fd: int) -> None:
        self._dir_fd = dir_fd
        self._held: list[Buffer] = []
        self._file: AnonymousFile | None = None
        self.size = 0

    def write(self, data: Buffer) -> None:
        """Append.

        Raises:
            OSError: if the disk is full.
        """
        self.size += len(data)
        if self._file is not None:
            files.write_all(self._file.fd, data)
            return
        self._held.append(data)
        if self.size > _MOST_HELD:
            self._file = AnonymousFile(self._dir_fd)
            for piece in self._held:
                files.write_all(self._file.fd, piece)
            self._held.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
        self.size = 0
        self.close()

    def take(self) -> Buffer:
        """All of it; the spool is empty then, and what is given lives as long as it is held."""
        if self._file is None:
            data = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        else:
            import mmap

            data = memoryview(mmap.mmap(self._file.fd, 0, prot=mmap.PROT_READ))
        self.clear()
        return data

    def close(self) -> None:
        """Give back the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None
