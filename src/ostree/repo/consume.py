"""Directories that a commit takes over: what is committed is removed (repository format §6.3).

The reference removes each file as it is stored, so a commit that fails leaves half a tree.  Here
files that can become objects are linked into the repository, and everything is removed when the
commit is published (ADR 11).
"""

from __future__ import annotations

import os

from ostree.errors import RepoError
from ostree.system import files


class ConsumedTree:
    """What is to be removed of one directory tree."""

    def __init__(self, path: str, root_fd: int) -> None:
        self._path = path
        self._root = os.fstat(root_fd)
        #: Names by directory, each after the one it is in.
        self._directories: dict[str, list[str]] = {}

    def add(self, path: str, names: list[str]) -> None:
        """Take note of a directory, after the one it is in, and of what is taken from it."""
        self._directories.setdefault(path, []).extend(names)

    def remove(self) -> None:
        """Remove all that was noted, and the directories that are empty then.

        Raises:
            RepoError: naming what could not be removed.
        """
        root_fd = self._open()
        try:
            for path, names in reversed(self._directories.items()):
                fd = files.open_beneath(root_fd, path) if path else os.dup(root_fd)
                try:
                    for name in names:
                        _unlink(name, fd)
                finally:
                    os.close(fd)
                if path:
                    _remove_directory(root_fd, path)
        except OSError as error:
            name = error.filename if isinstance(error.filename, str) else self._path
            raise RepoError(files.describe(f"unlinkat({name})", error)) from error
        finally:
            os.close(root_fd)
        self._remove_root()

    def _open(self) -> int:
        try:
            fd = files.open_directory(self._path)
        except OSError as error:
            raise RepoError(files.describe(f"opendir({self._path})", error)) from error
        if not os.path.samestat(os.fstat(fd), self._root):
            os.close(fd)
            raise RepoError(f"Directory {self._path} was replaced while it was committed")
        return fd

    def _remove_root(self) -> None:
        # "." cannot be removed by that name, nor can "x/."; what was in it is gone.
        if os.path.basename(self._path) == ".":
            return
        try:
            os.rmdir(self._path)
        except OSError as error:
            raise RepoError(files.describe(f"unlinkat({self._path})", error)) from error


def _unlink(name: str, dir_fd: int) -> None:
    """Remove a file, or with all that is in it a directory that was left out."""
    try:
        files.remove_tree(name, dir_fd)
    except OSError as error:
        error.filename = name
        raise


def _remove_directory(root_fd: int, path: str) -> None:
    parent, _, name = path.rpartition("/")
    fd = files.open_beneath(root_fd, parent) if parent else os.dup(root_fd)
    try:
        os.rmdir(name, dir_fd=fd)
    except FileNotFoundError:
        return
    finally:
        os.close(fd)
