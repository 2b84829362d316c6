"""Bytes that arrive piece by piece: few stay in memory, many go to the disk."""

from __future__ import annotations

from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | memoryview


class Spool(Closing):
    """A buffer that moves into an anonymous file when it becomes large.

    Args:
        dir_fd: The directory for that file.
        most_held: How large, in bytes.

    Attributes:
        size: Bytes so far.
    """

    __slots__ = ("_dir_fd", "_file", "_held", "_most_held", "size")

    def __init__(self, dir_fd: int, *, most_held: int) -> None:
        self._dir_fd = dir_fd
        self._most_held = most_held
        self._held = bytearray()
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
        self._held += data
        if self.size > self._most_held:
            self._file = AnonymousFile(self._dir_fd)
            files.write_all(self._file.fd, memoryview(self._held))
            self._held = bytearray()

    def clear(self) -> None:
        """Forget everything."""
        self._held = bytearray()
        self.size = 0
        self.close()

    def take(self) -> Buffer:
        """All of it; the spool is empty then, and what is given lives as long as it is held."""
        data: Buffer
        if self._file is None:
            data = memoryview(self._held)
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
