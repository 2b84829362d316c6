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
from ostree.types import Checksum, FileHeader, ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.repo.directory_import import Directory, ImportOptions
    from ostree.repo.repository import Repo
    from ostree.types import Xattrs

#: A file changed within this many nanoseconds may change again without a new time stamp.
_RACY = 2_000_000_000
_OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


#: What became of a file.
WRITTEN = 0  #: It is a new object.
FOUND = 1  #: The object was there.
RECOGNISED = 2  #: It is a link to an object and was not read.
ADOPTED = 3  #: It is the object itself from now on.


class StoredFile:
    """A file that is in the repository: its digest, its size in bytes, what became of it."""

    __slots__ = ("digest", "outcome", "size")

    def __init__(self, digest: bytes, size: int, outcome: int) -> None:
        self.digest = digest
        self.size = size
        self.outcome = outcome


class OpenedFile:
    """A regular file that is open and not stored yet; its descriptor belongs to it.

    Attributes:
        fd: Its descriptor.
        header: What is committed of it besides the content.
        info: What the file system says of it.
        unchanged: Whether the header is the file's own; not computed where nobody asks.
    """

    __slots__ = ("fd", "header", "info", "unchanged")

    def __init__(self, fd: int, info: os.stat_result) -> None:
        self.fd = fd
        self.info = info
        self.header = _NO_HEADER
        self.unchanged = False

    def close(self) -> None:
        """Give the descriptor back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class FileImport:
    """Stores files in one repository; :meth:`store_opened` may be called on several threads.

    Args:
        repo: Where objects go.
        charge: Accounts for the space of a new object.
        options: What changes about the files, and which need not be read.
    """

    def __init__(self, repo: Repo, charge: Callable[[int], None], options: ImportOptions) -> None:
        self._repo = repo
        self._store = repo.store
        self._charge = charge
        self._modifier = modifier = options.modifier
        self._prefix = options.prefix
        self._known = options.known
        self._trusts_links = options.trusts_links or modifier.is_neutral
        self._adopts = options.consume and repo.store.properties.adopts
        self._device = os.fstat(repo.store.target.fd).st_dev if self._adopts else 0
        #: Nearly all files of a system share a handful of headers.
        self._prefixes: dict[tuple[int, int, int], bytes] = {}

    def take(
        self, name: str, dir_fd: int, directory: Directory, limit: int
    ) -> StoredFile | OpenedFile | None:
        """Store a directory entry, or open it if it has more than ``limit`` bytes.

        None means that it is left out.

        Raises:
            RepoError: if it is neither regular nor a symbolic link, or cannot be held.
            OSError: if it cannot be read (with its name) or stored (without).
        """
        known: bytes | None = None
        if self._known is not None:
            info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
            known = self._known.get((info.st_dev, info.st_ino))
            if known is not None:
                if self._trusts_links:
                    return StoredFile(known, info.st_size, RECOGNISED)
                if self._repo.mode is RepoMode.BARE_USER:
                    return self._take_linked(name, directory, known)
        try:
            fd = os.open(name, _OPEN_FILE, dir_fd=dir_fd)
        except OSError:
            info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
            if not stat.S_ISLNK(info.st_mode):
                raise
            return self._store_link(name, dir_fd, directory, info, known)
        opened = OpenedFile(fd, os.fstat(fd))
        try:
            if not self._find_header(opened, name, directory):
                return None
            if known is not None and opened.unchanged:
                return StoredFile(known, opened.info.st_size, RECOGNISED)
            facts = directory.facts
            if facts is not None:
                digest = facts.find(opened.info, opened.header)
                if digest is not None and self._has(digest):
                    return StoredFile(digest, opened.info.st_size, RECOGNISED)
            if opened.info.st_size > limit:
                fd = -1  # the caller's from now on
                return opened
            stored = self.store_opened(opened)
            if facts is not None:
                facts.add(opened.info, opened.header, stored.digest)
            return stored
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
            if self._adopts and (adopted := self._adopt(opened)) is not None:
                return adopted
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

    # the header -------------------------------------------------------------------------------

    def _find_header(self, opened: OpenedFile, name: str, directory: Directory) -> bool:
        """Find out what is committed besides the content; False if the file is left out."""
        info = opened.info
        if not stat.S_ISREG(info.st_mode):
            raise RepoError(f"Not a regular file or symlink: {name}")
        attributes = () if self._modifier.drops_xattrs else xattr.read_fd(opened.fd)
        header = self._header(name, directory, info, "", attributes)
        if header is None:
            return False
        opened.header = header
        if self._known is not None or self._adopts:
            opened.unchanged = self._is_own(header, info, attributes)
        return True

    def _header(
        self, name: str, directory: Directory, info: os.stat_result, target: str, xattrs: Xattrs
    ) -> FileHeader | None:
        modifier = self._modifier
        if modifier.by_path:
            path = self._prefix + directory.shown(name)
            return modifier.header_at(path, info.st_uid, info.st_gid, info.st_mode, target, xattrs)
        uid, gid, mode = modifier.apply(info.st_uid, info.st_gid, info.st_mode)
        return FileHeader(uid, gid, mode, target, xattrs)

    def _is_own(self, header: FileHeader, info: os.stat_result, xattrs: Xattrs) -> bool:
        """Whether the header of a file says what its inode says."""
        return (
            not self._modifier.changes_xattrs
            and header.key()[:3] == (info.st_uid, info.st_gid, info.st_mode)
            and header.xattrs == xattrs
        )

    # objects ----------------------------------------------------------------------------------

    def _has(self, digest: bytes) -> bool:
        return self._store.has(Checksum.of_digest(digest), ObjectType.FILE)

    def _put(self, digest: bytes, header: FileHeader, data: bytes) -> StoredFile:
        checksum = Checksum.of_digest(digest)
        if self._store.has(checksum, ObjectType.FILE):
            return StoredFile(digest, len(data), FOUND)
        try:
            self._charge(len(data))
            new = self._store.put_bytes(checksum, header, data)
        except OSTreeError as error:
            error.add_prefix("Writing content object")
            raise
        return StoredFile(digest, len(data), WRITTEN if new else FOUND)

    def _store_link(
        self,
        name: str,
        dir_fd: int,
        directory: Directory,
        info: os.stat_result,
        known: bytes | None,
    ) -> StoredFile | None:
        raw = os.fsencode(os.readlink(name, dir_fd=dir_fd))
        try:
            target = raw.decode()
        except UnicodeDecodeError as error:
            shown = raw.decode("utf-8", "replace")
            raise RepoError(f"Invalid UTF-8 in symlink target {shown}") from error
        attributes = () if self._modifier.drops_xattrs else xattr.read_at(dir_fd, name)
        header = self._header(name, directory, info, target, attributes)
        if header is None:
            return None
        if known is not None and self._is_own(header, info, attributes):
            return StoredFile(known, 0, RECOGNISED)
        return self._put(hashlib.sha256(content_prefix(header)).digest(), header, b"")

    def _take_linked(self, name: str, directory: Directory, known: bytes) -> StoredFile | None:
        """A link to an object whose metadata is not that of the inode."""
        from ostree.repo.content_import import import_loaded

        modifier = self._modifier
        with self._repo.load_content(Checksum.of_digest(known)) as content:
            before = content.header
            attributes = () if modifier.drops_xattrs else before.xattrs
            after = modifier.header_at(
                self._prefix + directory.shown(name),
                before.uid,
                before.gid,
                before.mode,
                "",
                attributes,
            )
            if after is None:
                return None
            if after == before and not modifier.changes_xattrs:
                return StoredFile(known, content.size, RECOGNISED)
            content.header = after
            checksum, new = import_loaded(self._store, content, self._charge, None)
            return StoredFile(checksum.digest, content.size, WRITTEN if new else FOUND)

    def _store_large(self, opened: OpenedFile) -> StoredFile:
        """Hash first, so that an object that exists costs no write; then copy inside the kernel."""
        started = time.time_ns()
        fd, header, size = opened.fd, opened.header, opened.info.st_size
        checksum = checksum_descriptor(header, fd, size)
        if self._store.has(checksum, ObjectType.FILE):
            return StoredFile(checksum.digest, size, FOUND)
        try:
            self._charge(size)
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
        return StoredFile(checksum.digest, size, WRITTEN if new else FOUND)

    def _adopt(self, opened: OpenedFile) -> StoredFile | None:
        """Make the file itself the object; None if it has to be copied."""
        fd, header, info = opened.fd, opened.header, opened.info
        if info.st_dev != self._device:
            return None
        whole = opened.unchanged and not self._modifier.drops_xattrs
        if not whole and self._repo.mode is not RepoMode.BARE_USER_ONLY:
            return None
        checksum = checksum_descriptor(header, fd, info.st_size)
        if not self._store.adopt(checksum, header, fd):
            return None
        return StoredFile(checksum.digest, info.st_size, ADOPTED)


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
