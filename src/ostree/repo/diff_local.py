"""A directory on the disk as one side of a comparison."""

from __future__ import annotations

import os

from ostree.errors import RepoError
from ostree.repo.diff import EntryInfo, TreeEntry
from ostree.system import files
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.disk_checksum import DiskChecksums
    from ostree.types import Checksum


class LocalTree(Closing):
    """An open directory whose tree is compared.

    Args:
        path: The directory, absolute.
        checksums: How owners and attributes are taken.

    Raises:
        RepoError: if it cannot be opened as a directory.
    """

    def __init__(self, path: str, checksums: DiskChecksums) -> None:
        self._path = path
        self._checksums = checksums
        try:
            os.stat(path)
        except OSError as error:
            raise RepoError(
                f"Error when getting information for file “{path}”: {error.strerror}"
            ) from error
        try:
            self._root_fd = files.open_directory(path)
        except OSError as error:
            raise RepoError(f"Error opening directory '{path}': {error.strerror}") from error
        #: The directory that was looked into last, and its descriptor: entries come by directory.
        self._current: tuple[str, int] = ("", -1)

    def close(self) -> None:
        """Give its descriptors back."""
        self._leave()
        if self._root_fd >= 0:
            os.close(self._root_fd)
            self._root_fd = -1

    def root(self) -> LocalEntry:
        """The directory itself."""
        return LocalEntry(self, None, "", is_directory=True)

    def list(self, directory: LocalEntry) -> list[LocalEntry]:
        """Files by name, then directories by name."""
        try:
            with os.scandir(self._enter(directory.path)) as scan:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in scan]
        except OSError as error:
            path = self._shown(directory.path)
            raise RepoError(f"Error opening directory '{path}': {error.strerror}") from error
        found.sort(key=lambda entry: (entry[1], os.fsencode(entry[0])))
        return [LocalEntry(self, directory, name, is_directory=is_dir) for name, is_dir in found]

    def stat(self, entry: LocalEntry) -> os.stat_result:
        """What lstat(2) says about an entry; also after the tree was closed."""
        try:
            if self._root_fd < 0:
                return os.stat(self._shown(entry.path), follow_symlinks=False)
            fd = self._enter(entry.directory)
            return os.stat(entry.name or ".", dir_fd=fd, follow_symlinks=False)
        except OSError as error:
            raise self._uninformed(entry, error) from error

    def target(self, entry: LocalEntry) -> str:
        """Where a symbolic link leads; also after the tree was closed."""
        try:
            if self._root_fd < 0:
                return os.readlink(self._shown(entry.path))
            return os.readlink(entry.name, dir_fd=self._enter(entry.directory))
        except OSError as error:
            raise self._uninformed(entry, error) from error

    def checksum(self, entry: LocalEntry) -> Checksum:
        """The checksum of an entry, read from the disk."""
        info = self.stat(entry)
        try:
            fd = self._enter(entry.directory)
            return self._checksums.of(entry.name or ".", info, dir_fd=fd)
        except OSError as error:
            path = self._shown(entry.path)
            raise RepoError(f"Error opening file {path}: {error.strerror}") from error

    def _uninformed(self, entry: LocalEntry, error: OSError) -> RepoError:
        path = self._shown(entry.path)
        return RepoError(f"Error when getting information for file “{path}”: {error.strerror}")

    def _shown(self, path: str) -> str:
        return os.path.join(self._path, path) if path else self._path

    def _enter(self, path: str) -> int:
        """A descriptor of a directory below the root, or of the root."""
        if not path:
            return self._root_fd
        if self._current[0] != path:
            self._leave()
            self._current = (path, files.open_beneath(self._root_fd, path))
        return self._current[1]

    def _leave(self) -> None:
        path, fd = self._current
        if path:
            self._current = ("", -1)
            os.close(fd)


class LocalEntry(TreeEntry):
    """A file, link or directory on the disk."""

    __slots__ = ("_parent", "_tree")

    def __init__(
        self, tree: LocalTree, parent: LocalEntry | None, name: str, *, is_directory: bool
    ) -> None:
        super().__init__(name, is_directory=is_directory)
        self._tree = tree
        self._parent = parent

    @property
    def directory(self) -> str:
        """The path of the directory it is in; empty for the root and what is right below it."""
        return "" if self._parent is None else self._parent.path

    @property
    def path(self) -> str:
        """Relative to the directory that is compared; empty for that directory."""
        directory = self.directory
        return f"{directory}/{self.name}" if directory else self.name

    @property
    def contents(self) -> Checksum | None:
        """Not known without looking."""
        return None

    def checksum(self) -> Checksum:
        """Read from the disk."""
        return self._tree.checksum(self)

    def children(self) -> list[LocalEntry]:
        """What the directory has now."""
        return self._tree.list(self)

    def info(self) -> EntryInfo:
        """What the disk says now."""
        import stat

        info = self._tree.stat(self)
        size = info.st_size if stat.S_ISREG(info.st_mode) else 0
        target = self._tree.target(self) if stat.S_ISLNK(info.st_mode) else ""
        return EntryInfo(info.st_mode, info.st_uid, info.st_gid, size, target)
