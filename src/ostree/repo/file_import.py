"""Committing one file: hash it, and store it unless it is there (repository format §2.4, §6.1)."""

from __future__ import annotations

import hashlib
import os
import stat
import time

from ostree.errors import OSTreeError, RepoError
from ostree.formats.file_header import content_prefix
from ostree.store.content import SMALL, checksum_descriptor
from ostree.system import files, xattr
from ostree.types import Checksum, FileHeader, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.repo.modifier import Modifier
    from ostree.store.store import LooseStore

#: A file changed within this many nanoseconds may change again without a new time stamp.
_RACY = 2_000_000_000
_OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class StoredFile:
    """A file that is in the repository: its digest, whether it is new, its size in bytes."""

    __slots__ = ("digest", "new", "size")

    def __init__(self, digest: bytes, size: int, *, new: bool) -> None:
        self.digest = digest
        self.size = size
        self.new = new


class OpenedFile:
    """A regular file that is open and not stored yet; its descriptor belongs to it."""

    __slots__ = ("fd", "header", "info")

    def __init__(self, fd: int, header: FileHeader, info: os.stat_result) -> None:
        self.fd = fd
        self.header = header
        self.info = info

    def close(self) -> None:
        """Give the descriptor back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class FileImport:
    """Stores files in one repository; :meth:`store_opened` may be called on several threads.

    Args:
        store: Where objects go.
        charge: Accounts for the space of a new object.
        modifier: What changes about the files.
    """

    def __init__(
        self, store: LooseStore, charge: Callable[[int], None], modifier: Modifier
    ) -> None:
        self._store = store
        self._charge = charge
        self._modifier = modifier
        #: Nearly all files of a system share a handful of headers.
        self._prefixes: dict[tuple[int, int, int], bytes] = {}

    def take(self, name: str, dir_fd: int, *, limit: int) -> StoredFile | OpenedFile:
        """Store a directory entry, or open it if it has more than ``limit`` bytes.

        Raises:
            RepoError: if it is neither regular nor a symbolic link, or cannot be held.
            OSError: if it cannot be read (with its name) or stored (without).
        """
        try:
            fd = os.open(name, _OPEN_FILE, dir_fd=dir_fd)
        except OSError:
            info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
            if not stat.S_ISLNK(info.st_mode):
                raise
            return self._store_link(name, dir_fd, info)
        opened = OpenedFile(fd, _NO_HEADER, os.fstat(fd))
        try:
            opened.header = self._header(name, opened)
            if opened.info.st_size > limit:
                fd = -1  # the caller's from now on
                return opened
            return self.store_opened(opened)
        finally:
            if fd >= 0:
                opened.close()

    def store_opened(self, opened: OpenedFile) -> StoredFile:
        """Store a file that :meth:`take` has opened, and close it.

        Raises:
            RepoError: if the repository cannot hold it, or it changes meanwhile.
            OSError: if it cannot be read or stored.
        """
        try:
            if opened.info.st_size > SMALL:
                return self._store_large(opened)
            data = files.read_all(opened.fd, opened.info.st_size)
        finally:
            opened.close()
        header = opened.header
        if header.xattrs:
            prefix = content_prefix(header)
        else:
            key = (header.uid, header.gid, header.mode)
            prefix = self._prefixes.get(key) or content_prefix(header)
            self._prefixes[key] = prefix
        digest = hashlib.sha256(prefix)
        digest.update(data)
        return self._put(digest.digest(), header, data)

    def _header(self, name: str, opened: OpenedFile) -> FileHeader:
        info = opened.info
        if not stat.S_ISREG(info.st_mode):
            raise RepoError(f"Not a regular file or symlink: {name}")
        modifier = self._modifier
        attributes = () if modifier.drops_xattrs else xattr.read_fd(opened.fd)
        uid, gid, mode = modifier.apply(info.st_uid, info.st_gid, info.st_mode)
        return FileHeader(uid, gid, mode, "", attributes)

    def _put(self, digest: bytes, header: FileHeader, data: bytes) -> StoredFile:
        checksum = Checksum.of_digest(digest)
        if self._store.has(checksum, ObjectType.FILE):
            return StoredFile(digest, len(data), new=False)
        self._charge(len(data))
        try:
            new = self._store.put_bytes(checksum, header, data)
        except OSTreeError as error:
            error.add_prefix("Writing content object")
            raise
        return StoredFile(digest, len(data), new=new)

    def _store_link(self, name: str, dir_fd: int, info: os.stat_result) -> StoredFile:
        modifier = self._modifier
        raw = os.fsencode(os.readlink(name, dir_fd=dir_fd))
        try:
            target = raw.decode()
        except UnicodeDecodeError as error:
            shown = raw.decode("utf-8", "replace")
            raise RepoError(f"Invalid UTF-8 in symlink target {shown}") from error
        attributes = () if modifier.drops_xattrs else xattr.read_at(dir_fd, name)
        header = modifier.header(info.st_uid, info.st_gid, info.st_mode, target, attributes)
        return self._put(hashlib.sha256(content_prefix(header)).digest(), header, b"")

    def _store_large(self, opened: OpenedFile) -> StoredFile:
        """Hash first, so that an object that exists costs no write; then copy inside the kernel."""
        started = time.time_ns()
        fd, header, size = opened.fd, opened.header, opened.info.st_size
        checksum = checksum_descriptor(header, fd, size)
        if self._store.has(checksum, ObjectType.FILE):
            return StoredFile(checksum.digest, size, new=False)
        self._charge(size)
        try:
            with self._store.begin(header, size) as writer:
                copied = writer.fill(fd, size, header)
                if copied is None and _may_have_changed(opened, started):
                    copied = writer.checksum_again(header, size)
                if copied not in (None, checksum):
                    raise RepoError("File changed while it was committed")
                new = writer.finish(checksum)
        except OSTreeError as error:
            error.add_prefix("Writing content object")
            raise
        return StoredFile(checksum.digest, size, new=new)


def _may_have_changed(opened: OpenedFile, started: int) -> bool:
    """Whether the file can be another than the one hashed before it was copied.

    Time stamps are coarse: those of a file touched just now tell nothing.
    """
    before, after = opened.info, os.fstat(opened.fd)
    same = (after.st_size, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_size,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    return not same or before.st_ctime_ns + _RACY >= started


_NO_HEADER = FileHeader(0, 0, 0)
