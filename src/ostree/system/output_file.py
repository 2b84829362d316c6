"""A file that a user names for output: there as a whole, or as it was before."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from ostree.system import files
from ostree.system.anonymous import random_name
from ostree.system.closing import Closing


class OutputFile(Closing):
    """A file being written in place of another one, which stays until :meth:`finish`.

    Pipes and devices, and files in directories where nothing can be added, are written directly.
    Links are followed; a new file gets the mode that the umask leaves, an old one keeps its own.

    Args:
        path: What the user calls it.

    Attributes:
        is_regular: Whether it is a file on a disk.

    Raises:
        OSError: if it cannot be opened for writing.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        self._temporary: str | None = None
        self.fd = -1
        try:
            mode: int | None = os.stat(self._path).st_mode
        except FileNotFoundError:
            mode = None
        self.is_regular = mode is None or stat.S_ISREG(mode)
        if self.is_regular:
            self._open_beside(mode)
        if self.fd < 0:
            self.fd = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666
            )

    def _open_beside(self, mode: int | None) -> None:
        directory, name = os.path.split(self._path)
        if mode is not None and not os.access(self._path, os.W_OK):
            return  # opening it says why
        temporary = os.path.join(directory, random_name(f".{name[:200]}."))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            self.fd = os.open(temporary, flags, 0o666)
        except PermissionError:
            if mode is None:
                raise
            return
        self._temporary = temporary
        if mode is not None:
            os.fchmod(self.fd, stat.S_IMODE(mode))

    def write(self, data: bytes | memoryview) -> None:
        """More of its content."""
        files.write_all(self.fd, data)

    def finish(self) -> None:
        """Put it in place."""
        if self._temporary is not None:
            os.rename(self._temporary, self._path)
            self._temporary = None

    def close(self) -> None:
        """Close it; what was not finished is gone."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        if self._temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._temporary)
            self._temporary = None
