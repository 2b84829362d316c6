"""What the modes that store plain content share: the file of a regular file is its content."""

from __future__ import annotations

import errno
import os
import stat
import time

from ostree.errors import CorruptionError
from ostree.store.content import ContentWriter, LoadedContent, checksum_descriptor
from ostree.store.layout import loose_path
from ostree.store.store import LooseStore, unreadable
from ostree.system import copying, files
from ostree.system.anonymous import AnonymousFile
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.errors import ObjectNotFoundError
    from ostree.store.layout import ObjectDirectory
    from ostree.store.payload_links import PayloadLinks
    from ostree.types import Checksum, FileHeader

#: Why a file cannot become an object by one more link.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOENT)


class PlainStore(LooseStore):
    """Base of bare, bare-user and bare-user-only.

    Attributes:
        payload_links: What lets objects share blocks, if they do.
    """

    payload_links: PayloadLinks | None = None

    @property
    def works_in_processes(self) -> bool:
        """Whether several processes may store objects; not if one waits for another's blocks."""
        return self.payload_links is None

    def load(self, checksum: Checksum) -> LoadedContent:
        """A file object's header and content; see the contract."""
        path = loose_path(checksum, "file")
        for place in (self.staging, self.objects):
            if place is None:
                continue
            try:
                fd = os.open(path, files.FILE_FLAGS, dir_fd=place.fd)
            except FileNotFoundError:
                continue
            except OSError as error:
                loaded = self._load_link(checksum, place, path)
                if loaded is None:
                    context = f"Opening content object {checksum}: openat"
                    raise unreadable(context, error) from error
                return loaded
            try:
                return self._load_open(checksum, fd)
            except BaseException:
                os.close(fd)
                raise
        raise self.missing_content(checksum)

    def header(self, checksum: Checksum, *, with_xattrs: bool = True) -> tuple[FileHeader, int]:
        """A file object's header and size, from the inode alone; see the contract."""
        path = loose_path(checksum, "file")
        for place in (self.staging, self.objects):
            if place is None:
                continue
            try:
                info = os.stat(path, dir_fd=place.fd, follow_symlinks=False)
                return self._header_at(checksum, place, path, info, with_xattrs=with_xattrs)
            except FileNotFoundError:
                continue
            except OSError as error:
                context = f"Opening content object {checksum}: fstatat"
                raise unreadable(context, error) from error
        raise self.missing_content(checksum)

    def put_bytes(self, checksum: Checksum, header: FileHeader, data: bytes) -> bool:
        """Store a regular file from memory, or a symbolic link; see the contract."""
        if header.is_symlink:
            return self._put_symlink(checksum, header)
        target = self.target
        with AnonymousFile(target.temporary_fd) as file:
            if data:
                files.write_all(file.fd, data)
            return self._finish(file, target, checksum, header)

    def begin(self, header: FileHeader, size: int) -> ContentWriter:
        """Start to store a regular file; see the contract."""
        del size
        return PlainWriter(self, header)

    def adopt(self, checksum: Checksum, header: FileHeader, fd: int) -> bool:
        """Make an open regular file the object itself; see the contract."""
        target = self.target
        path = loose_path(checksum, "file")
        if not self.properties.adopts:
            return False
        if self.has(checksum, ObjectType.FILE):
            return True
        target.make_prefix(path)
        try:
            self._adapt(checksum, header, fd)
            if target.sealing is not None:
                target.sealing.seal_open(fd)
            os.link(f"/proc/self/fd/{fd}", path, dst_dir_fd=target.fd, follow_symlinks=True)
        except FileExistsError:
            return True
        except OSError as error:
            if error.errno in _NO_LINK:
                return False
            raise
        os.utime(fd, ns=(time.time_ns(), 0))
        if target.sync_files:
            os.fsync(fd)
        return True

    def _adapt(self, checksum: Checksum, header: FileHeader, fd: int) -> None:
        """Prepare a file that is to become an object; it has the header's owner and attributes."""

    def missing_content(self, checksum: str) -> ObjectNotFoundError:
        """The error for a content object that is not there."""
        error = super().missing_content(checksum)
        error.add_prefix(f"Opening content object {checksum}")
        return error

    def _finish(
        self,
        file: AnonymousFile,
        target: ObjectDirectory,
        checksum: Checksum,
        header: FileHeader,
    ) -> bool:
        """Give a complete file its metadata and its name."""
        links = self.payload_links
        if links is None:
            return self._publish(file, target, checksum, header)
        with links.sharing(file.fd) as payload:
            is_new = self._publish(file, target, checksum, header)
            if payload is not None and is_new:
                links.record(payload, checksum)
        return is_new

    def _publish(
        self,
        file: AnonymousFile,
        target: ObjectDirectory,
        checksum: Checksum,
        header: FileHeader,
    ) -> bool:
        self._apply(file.fd, header)
        # Upstream's checkouts are recognised by this; the access time does not matter.
        os.utime(file.fd, ns=(time.time_ns(), 0))
        if target.sync_files:
            os.fsync(file.fd)
        return target.link(file, loose_path(checksum, self.extension(ObjectType.FILE)))

    # what differs between the modes -------------------------------------------------------------

    def _apply(self, fd: int, header: FileHeader) -> None:
        """Put owner, mode and attributes of a regular file on its inode, as the mode keeps them."""
        raise NotImplementedError

    def _put_symlink(self, checksum: Checksum, header: FileHeader) -> bool:
        """Store a symbolic link."""
        raise NotImplementedError

    def _load_open(self, checksum: Checksum, fd: int) -> LoadedContent:
        """The object in an open regular file, which the result owns."""
        raise NotImplementedError

    def _header_at(
        self,
        checksum: Checksum,
        place: ObjectDirectory,
        path: str,
        info: os.stat_result,
        *,
        with_xattrs: bool,
    ) -> tuple[FileHeader, int]:
        """Header and size of the object in a file, about which ``info`` is known."""
        raise NotImplementedError

    def _load_link(
        self, checksum: Checksum, place: ObjectDirectory, path: str
    ) -> LoadedContent | None:
        """The object in a symbolic link; None if there is no link."""
        info = os.stat(path, dir_fd=place.fd, follow_symlinks=False)
        if not stat.S_ISLNK(info.st_mode):
            return None
        return LoadedContent(self._header_at(checksum, place, path, info, with_xattrs=True)[0], 0)


def inode_content(
    checksum: Checksum, place: ObjectDirectory, path: str, info: os.stat_result
) -> tuple[str, int]:
    """Where a symbolic link leads, and how much content a regular file has.

    Raises:
        CorruptionError: if it is neither.
    """
    if stat.S_ISREG(info.st_mode):
        return "", info.st_size
    if not stat.S_ISLNK(info.st_mode):
        raise CorruptionError(f"Opening content object {checksum}: not a regular file")
    return os.readlink(path, dir_fd=place.fd), 0


class PlainWriter(ContentWriter):
    """A plain file being filled."""

    __slots__ = ("_file", "_header", "_store", "_target")

    def __init__(self, store: PlainStore, header: FileHeader) -> None:
        self._store = store
        self._header = header
        self._target = store.target
        self._file = AnonymousFile(self._target.temporary_fd)

    def write(self, data: bytes | memoryview) -> None:
        """More content."""
        files.write_all(self._file.fd, data)

    def fill(self, fd: int, size: int, header: FileHeader) -> Checksum | None:
        """Take the content from an open file, inside the kernel; see the contract."""
        del header
        copying.copy_content(fd, self._file.fd)
        if os.fstat(self._file.fd).st_size != size:
            os.ftruncate(self._file.fd, size)
        return None

    def checksum_again(self, header: FileHeader, size: int) -> Checksum:
        """The checksum of what :meth:`fill` had the kernel copy."""
        return checksum_descriptor(header, self._file.fd, size)

    def finish(self, checksum: Checksum) -> bool:
        """Store it under that name; False if the object was there already."""
        return self._store._finish(self._file, self._target, checksum, self._header)  # noqa: SLF001 - the writer is half of the store

    def close(self) -> None:
        """Give back what it holds."""
        self._file.close()
