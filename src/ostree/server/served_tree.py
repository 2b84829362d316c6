"""Opening files for clients who may ask for anything: symbolic links are never followed."""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import NotFoundError
from ostree.server.paths import is_public

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO must not wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_ABSENT = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.ENXIO}
)


class ServedTree:
    """A directory that is a repository or has repositories below it, at any depth.

    Of a repository only the files that clients read are shown; of other directories nothing but
    the repositories in them.  Directories whose names begin with a dot are not searched.

    The root itself may be reached through symbolic links, nothing below it.  Bare repositories
    keep links as objects that point anywhere, so each component is opened by itself, relative to
    the descriptor of the one before.

    Raises:
        NotFoundError: if the root cannot be opened.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = -1
        path = os.fspath(root)
        try:
            self._root = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NotFoundError(f"opening {path}: {error.strerror}") from error

    def close(self) -> None:
        """Release the descriptor of the root."""
        descriptor, self._root = self._root, -1
        if descriptor >= 0:
            os.close(descriptor)

    def open(self, components: list[bytes]) -> int | None:
        """A descriptor of a public regular file, to be closed by the caller, or ``None``.

        Raises:
            OSError: if the file cannot be opened for a reason other than that it is not there.
        """
        if b".." in components:  # refused with the path already; this is the second lock
            return None
        directory = self._root
        try:
            for depth, component in enumerate(components):
                if _is_repository(directory):
                    return _open_public(directory, components[depth:])
                if component.startswith(b"."):
                    return None
                inner = os.open(component, _DIRECTORY, dir_fd=directory)
                _close_unless(directory, self._root)
                directory = inner
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise
        finally:
            _close_unless(directory, self._root)
        return None


def _is_repository(directory: int) -> bool:
    try:
        return stat.S_ISREG(
            os.stat("config", dir_fd=directory, follow_symlinks=False).st_mode
        ) and stat.S_ISDIR(os.stat("objects", dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _open_public(repository: int, components: list[bytes]) -> int | None:
    if not is_public(components):
        return None
    directory = repository
    try:
        for component in components[:-1]:
            inner = os.open(component, _DIRECTORY, dir_fd=directory)
            _close_unless(directory, repository)
            directory = inner
        descriptor = os.open(components[-1], _FILE, dir_fd=directory)
    finally:
        _close_unless(directory, repository)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def _close_unless(descriptor: int, kept: int) -> None:
    if descriptor != kept:
        os.close(descriptor)
