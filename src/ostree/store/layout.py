"""Where loose objects lie: ``XX/REST.EXT`` below a directory (repository format §2.1)."""

from __future__ import annotations

import os
from contextlib import suppress

from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.store.sealing import Sealing
    from ostree.system.anonymous import AnonymousFile
    from ostree.types import Checksum

#: The names of the directories that objects lie in.
PREFIXES = tuple(f"{number:02x}" for number in range(256))


def loose_path(checksum: str, extension: str) -> str:
    """The path of an object relative to the objects directory."""
    return f"{checksum[:2]}/{checksum[2:]}.{extension}"


class ObjectDirectory:
    """A directory of loose objects: ``objects/``, or a staging directory.

    Attributes:
        fd: Its descriptor, owned by this object.
        temporary_fd: A directory on the same file system for files that are not complete yet.
        sync_files: Whether each file of content is synced.
        sealing: What seals files before they get their names, if they are sealed.
    """

    __slots__ = ("_prefixes", "fd", "sealing", "sync_files", "temporary_fd")

    def __init__(
        self,
        fd: int,
        temporary_fd: int,
        *,
        sync_files: bool = False,
        sealing: Sealing | None = None,
    ) -> None:
        self.fd = fd
        self.temporary_fd = temporary_fd
        self.sync_files = sync_files
        self.sealing = sealing
        self._prefixes: set[str] = set()

    def close(self) -> None:
        """Close the descriptor."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def has(self, path: str) -> bool:
        """Whether there is an object at that path."""
        return os.access(path, os.F_OK, dir_fd=self.fd, follow_symlinks=False)

    def remove(self, path: str) -> None:
        """Remove the object at a path, if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(path, dir_fd=self.fd)

    def make_prefix(self, path: str) -> None:
        """Make the two-digit directory of a path (0777 less umask)."""
        prefix = path[:2]
        if prefix not in self._prefixes:
            files.make_directory(prefix, self.fd)
            self._prefixes.add(prefix)

    def link(self, file: AnonymousFile, path: str) -> bool:
        """Give a complete file its name; False if the object was there already."""
        self.make_prefix(path)
        if self.sealing is not None:
            self.sealing.seal(file)
        return file.link(path, self.fd)

    def symlink(self, target: str, path: str) -> bool:
        """Make a symbolic link object; False if it was there already."""
        self.make_prefix(path)
        try:
            os.symlink(target, path, dir_fd=self.fd)
        except FileExistsError:
            return False
        return True

    def names(self, prefix: str) -> list[str]:
        """What is in one of the two-digit directories, in no order; nothing if there is none."""
        try:
            fd = files.open_subdirectory(self.fd, prefix)
        except (FileNotFoundError, NotADirectoryError):
            return []
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def objects(self, *extensions: str, starting_with: str = "") -> Iterator[tuple[Checksum, str]]:
        """(checksum, extension) of all objects with one of the extensions, sorted.

        ``starting_with`` limits it to checksums that begin so.  Other files are skipped.
        """
        from ostree.errors import FormatError
        from ostree.types import Checksum

        for prefix in PREFIXES:
            if not prefix.startswith(starting_with[:2]):
                continue
            for name in files.list_directory(prefix, self.fd):
                stem, dot, extension = name.partition(".")
                if not dot or extension not in extensions:
                    continue
                try:
                    checksum = Checksum(prefix + stem)
                except FormatError:
                    continue
                if checksum.startswith(starting_with):
                    yield checksum, extension
