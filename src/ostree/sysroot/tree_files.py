"""Files of a tree that is checked out, or still a commit, looked at in the same way."""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import NotFoundError, RepoError
from ostree.sysroot.resolve import resolve_inside
from ostree.system.files import open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.repo.tree_view import Tree

_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_PIECE = 1 << 20


class TreeFiles:
    """What is asked of a tree; paths are relative to its root.

    Symbolic links are followed as after chroot(2) into the tree where a method says so.
    """

    def find(self, path: str, kind: int) -> str | None:
        """Where a path leads to, links followed, if that is of file type ``kind`` (``S_IFREG``…).

        The result is a path without links; None if there is nothing of that type.
        """
        raise NotImplementedError

    def kind(self, path: str) -> int | None:
        """The type of what is at a path, a link at its end not followed; None for nothing."""
        raise NotImplementedError

    def names(self, path: str) -> list[str] | None:
        """The names in a directory, in no certain order; None without such a directory."""
        raise NotImplementedError

    def target(self, path: str) -> str:
        """Where a symbolic link leads, as it is written there."""
        raise NotImplementedError

    def size(self, path: str) -> int:
        """Bytes of a regular file, of which :meth:`find` gave the path."""
        raise NotImplementedError

    def read(self, path: str) -> Iterator[bytes]:
        """The content of a regular file, of which :meth:`find` gave the path, in pieces."""
        raise NotImplementedError


class DirectoryFiles(TreeFiles):
    """A tree that is checked out.

    Args:
        fd: Its root directory; has to stay open.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def find(self, path: str, kind: int) -> str | None:
        """See :meth:`TreeFiles.find`."""
        try:
            real = resolve_inside(path, self._fd)
        except OSError as error:
            if error.errno in _MISSING:
                return None
            raise
        return real if self.kind(real) == kind else None

    def kind(self, path: str) -> int | None:
        """See :meth:`TreeFiles.kind`."""
        try:
            mode = os.stat(path, dir_fd=self._fd, follow_symlinks=False).st_mode
        except OSError as error:
            if error.errno in _MISSING:
                return None
            raise
        return stat.S_IFMT(mode)

    def names(self, path: str) -> list[str] | None:
        """See :meth:`TreeFiles.names`; in the order of the file system."""
        try:
            fd = open_directory(resolve_inside(path, self._fd), dir_fd=self._fd)
        except OSError as error:
            if error.errno in _MISSING:
                return None
            raise
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def target(self, path: str) -> str:
        """See :meth:`TreeFiles.target`."""
        return os.readlink(path, dir_fd=self._fd)

    def size(self, path: str) -> int:
        """See :meth:`TreeFiles.size`."""
        return os.stat(path, dir_fd=self._fd, follow_symlinks=False).st_size

    def read(self, path: str) -> Iterator[bytes]:
        """See :meth:`TreeFiles.read`."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._fd)
        try:
            while chunk := os.read(fd, _PIECE):
                yield chunk
        finally:
            os.close(fd)


class CommitFiles(TreeFiles):
    """A tree that is still a commit.

    Args:
        root: Its root directory; the repository has to stay open.

    Raises:
        OSTreeError: from all methods, an object is missing or damaged.
    """

    def __init__(self, root: Tree) -> None:
        self._root = root

    def find(self, path: str, kind: int) -> str | None:
        """See :meth:`TreeFiles.find`."""
        try:
            found = self._root.resolve(f"/{path}")
        except (NotFoundError, RepoError):
            return None
        return found.path.lstrip("/") if stat.S_IFMT(found.mode) == kind else None

    def kind(self, path: str) -> int | None:
        """See :meth:`TreeFiles.kind`."""
        try:
            return stat.S_IFMT(self._root[path].mode)
        except NotFoundError:
            return None

    def names(self, path: str) -> list[str] | None:
        """See :meth:`TreeFiles.names`; sorted."""
        try:
            return sorted(self._root.resolve(f"/{path}"), key=os.fsencode)
        except (NotFoundError, RepoError):
            return None

    def target(self, path: str) -> str:
        """See :meth:`TreeFiles.target`."""
        return self._root[path].target

    def size(self, path: str) -> int:
        """See :meth:`TreeFiles.size`."""
        return self._root[path].size

    def read(self, path: str) -> Iterator[bytes]:
        """See :meth:`TreeFiles.read`."""
        with self._root[path].open() as stream:
            while chunk := stream.read(_PIECE):
                yield chunk
