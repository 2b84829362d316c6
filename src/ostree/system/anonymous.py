"""Files without a name until they are complete."""

from __future__ import annotations

import errno
import os

from ostree.system.closing import Closing

# What file systems without O_TMPFILE answer.
_NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)

_HEX = frozenset("0123456789abcdef")


def random_name(prefix: str = "tmp.") -> str:
    """A name that nobody else has."""
    return prefix + os.urandom(8).hex()


def is_random_name(name: str) -> bool:
    """Whether a file may have its name from :func:`random_name`: left by who was killed."""
    prefix, digits = name[:-16], name[-16:]
    return prefix in {"tmp.", ".tmp-"} and _HEX.issuperset(digits) and len(digits) == 16


class AnonymousFile(Closing):
    """A new file (mode 0600) on the file system of a directory, linked into place when done.

    Where the file system knows ``O_TMPFILE`` a crash leaves nothing behind; elsewhere it has a
    temporary name ``tmp.…``, removed on leaving the context.
    """

    __slots__ = ("_dir_fd", "_name", "fd")

    def __init__(self, dir_fd: int, directory: str = ".") -> None:
        self._dir_fd = dir_fd
        self._name: str | None = None
        try:
            self.fd = os.open(
                directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=dir_fd
            )
        except OSError as error:
            if error.errno not in _NO_TMPFILE:
                raise
            self._name = f"{directory}/{random_name()}"
            self.fd = os.open(
                self._name,
                os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC,
                0o600,
                dir_fd=dir_fd,
            )

    def stop_writing(self) -> None:
        """Have it open for reading only from now on."""
        fd = os.open(f"/proc/self/fd/{self.fd}", os.O_RDONLY | os.O_CLOEXEC)
        os.close(self.fd)
        self.fd = fd

    def link(self, path: str, dir_fd: int) -> bool:
        """Give it a name; False, and nothing changed, if the name is taken."""
        try:
            if self._name is None:
                os.link(f"/proc/self/fd/{self.fd}", path, dst_dir_fd=dir_fd, follow_symlinks=True)
            else:
                os.link(self._name, path, src_dir_fd=self._dir_fd, dst_dir_fd=dir_fd)
        except FileExistsError:
            return False
        return True

    def replace(self, name: str, directory: str = "") -> None:
        """Give it a name below ``directory``, replacing what has that name now."""
        final = os.path.join(directory, name)
        temporary = os.path.join(directory, random_name(".tmp-"))
        if self._name is None:
            self.link(temporary, self._dir_fd)
        else:
            temporary, self._name = self._name, None
        try:
            os.rename(temporary, final, src_dir_fd=self._dir_fd, dst_dir_fd=self._dir_fd)
        except OSError:
            os.unlink(temporary, dir_fd=self._dir_fd)
            raise

    def close(self) -> None:
        """Close it; without a name it is gone."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            if self._name is not None:
                os.unlink(self._name, dir_fd=self._dir_fd)
                self._name = None
