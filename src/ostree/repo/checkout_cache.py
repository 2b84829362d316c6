"""Content of an archive repository kept decompressed, for checkouts to link to (§4.9)."""

from __future__ import annotations

import os
import stat

from ostree.errors import RepoError
from ostree.store.layout import ObjectDirectory, loose_path
from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.system.closing import Closing
from ostree.types import RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.store.content import LoadedContent
    from ostree.types import Checksum

_NAME = "uncompressed-objects-cache"


def is_cached(content: LoadedContent) -> bool:
    """Whether an object is kept: regular, not empty, and readable by its owner."""
    header = content.header
    return bool(content.size) and not header.is_symlink and bool(header.mode & 0o400)


class UncompressedCache(Closing):
    """The cache of one repository: files of the current user, without setuid bits.

    Everything in it can be had again, so that anybody may remove it at any time.

    Attributes:
        directory: Where its files lie.
    """

    def __init__(self, directory: ObjectDirectory) -> None:
        self.directory = directory

    @classmethod
    def open(cls, repo: Repo, *, fsync: bool) -> UncompressedCache | None:
        """The cache of a repository; None if it has none, and is not to have one.

        Args:
            repo: An archive repository that can be written to has a cache unless configured not to.
            fsync: Whether new files reach the disk before they are used.
        """
        if (
            repo.mode is not RepoMode.ARCHIVE
            or not repo.config.uncompressed_cache
            or not repo.writable
        ):
            return None
        files.make_directory(_NAME, repo.dir_fd, 0o775)
        fd = files.open_subdirectory(repo.dir_fd, _NAME)
        return cls(ObjectDirectory(fd, fd, sync_files=fsync and repo.config.fsync))

    def add(self, checksum: Checksum, content: LoadedContent) -> None:
        """Keep the content of a regular file.

        Raises:
            RepoError: if it cannot be written.
        """
        try:
            self._add(checksum, content)
        except OSError as error:
            text = f"Adding {checksum} to {_NAME}: {error.strerror}"
            raise RepoError(text) from error

    def _add(self, checksum: Checksum, content: LoadedContent) -> None:
        directory = self.directory
        with AnonymousFile(directory.temporary_fd) as file:
            while data := content.read():
                files.write_all(file.fd, data)
            os.fchmod(file.fd, stat.S_IMODE(content.header.mode) & ~0o6000)
            if directory.sync_files:
                os.fsync(file.fd)
            directory.link(file, loose_path(checksum, "file"))

    def close(self) -> None:
        """Close its directory."""
        self.directory.close()
