"""Summaries of remotes and their signatures, kept to be asked for again by their validators (§5.5)."""

from __future__ import annotations

import os
from contextlib import suppress

from ostree.errors import NotFoundError
from ostree.store.store import MAX_METADATA
from ostree.system import files
from ostree.system.anonymous import AnonymousFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import FetchedBytes
    from ostree.repo.repository import Repo

_ETAG = "user.etag"
_DIRECTORY = "summaries"


class CachedFile:
    """A copy of a file of a remote.

    Attributes:
        data: Its content.
        etag: Its entity tag, quotes included, if the server told.
        last_modified: Its modification time in seconds since the epoch, if the server told.
    """

    __slots__ = ("data", "etag", "last_modified")

    def __init__(self, data: bytes, *, etag: str | None, last_modified: int | None) -> None:
        self.data = data
        self.etag = etag
        self.last_modified = last_modified


class SummaryCache:
    """The cached summary and signature of one remote.

    What cannot be read or written does not count: the cache only saves transfers.

    Args:
        repo: The repository.
        name: The remote.
        directory: Where instead of the repository's ``tmp/cache``; has to exist.
    """

    def __init__(self, repo: Repo, name: str, directory: str | None = None) -> None:
        self._dir_fd = repo.dir_fd
        self._directory = f"{directory or 'tmp/cache'}/{_DIRECTORY}"
        self._name = name
        if directory is not None:
            self._directory = os.path.join(os.path.abspath(directory), _DIRECTORY)

    def summary(self) -> CachedFile | None:
        """The summary."""
        return self._load(self._name)

    def signature(self) -> CachedFile | None:
        """The signature."""
        return self._load(f"{self._name}.sig")

    def store(self, summary: FetchedBytes | None, signature: FetchedBytes | None) -> None:
        """Keep what has been downloaded; None leaves the file as it is."""
        with suppress(OSError):
            files.make_directories(self._directory, self._dir_fd)
            # A signature that has no summary yet is found out; the reverse would be, too.
            for name, fetched in ((self._name, summary), (f"{self._name}.sig", signature)):
                if fetched is not None:
                    self._store(name, fetched)

    def _load(self, name: str) -> CachedFile | None:
        try:
            fd = os.open(f"{self._directory}/{name}", files.FILE_FLAGS, dir_fd=self._dir_fd)
        except OSError:
            return None
        try:
            info = os.fstat(fd)
            if info.st_size > MAX_METADATA:
                return None
            data = files.read_all(fd, info.st_size)
            # A server that told no time left 0 behind.
            modified = int(info.st_mtime) or None
            return CachedFile(data, etag=_read_etag(fd), last_modified=modified)
        except OSError:
            return None
        finally:
            os.close(fd)

    def _store(self, name: str, fetched: FetchedBytes) -> None:
        with AnonymousFile(self._dir_fd, self._directory) as file:
            files.write_all(file.fd, fetched.data)
            os.fchmod(file.fd, 0o644)
            set_validators(file.fd, fetched.etag, fetched.last_modified or 0)
            file.replace(name, self._directory)


def check_cache_directory(path: str) -> None:
    """Refuse a directory for the cache that does not exist.

    Raises:
        NotFoundError: ``opendir(PATH): No such file or directory``.
    """
    try:
        os.close(files.open_directory(path))
    except OSError as error:
        raise NotFoundError(files.describe(f"opendir({path})", error)) from error


def set_validators(fd: int, etag: str | None, last_modified: int | None) -> None:
    """Note on a file what the server said about it, as far as the file system can."""
    if etag is not None:
        with suppress(OSError):
            os.setxattr(fd, _ETAG, etag.encode("utf-8", "surrogateescape"))
    if last_modified is not None:
        os.utime(fd, (last_modified, last_modified))


def _read_etag(fd: int) -> str | None:
    try:
        return os.getxattr(fd, _ETAG).decode("utf-8", "surrogateescape") or None
    except OSError:
        return None
