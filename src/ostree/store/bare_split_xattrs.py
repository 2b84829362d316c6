"""Mode ``bare-split-xattrs``: as bare, but attributes are objects of their own (§3.6).

Beside ``HEX.file`` there is ``HEX.file-xattrs-link``, a hard link to the ``file-xattrs`` object that
holds the attributes, and is named by their checksum.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time

from ostree.errors import CorruptionError, FormatError, ObjectNotFoundError, RepoError
from ostree.formats import xattrs as xattrs_format
from ostree.store.bare import BareStore
from ostree.store.layout import loose_path
from ostree.store.store import MAX_METADATA, StoreProperties, unreadable
from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.types import ObjectName, ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.store.content import ContentWriter, LoadedContent
    from ostree.store.layout import ObjectDirectory
    from ostree.store.store import LooseStore
    from ostree.types import Checksum, FileHeader

_LINK = "file-xattrs-link"
_XATTRS = "file-xattrs"
#: A shared object that somebody deletes while it is being linked to is made again.
_ATTEMPTS = 3


class BareSplitXattrsStore(BareStore):
    """For container tools, which read files as they are.

    Args:
        objects: Where objects are.
        writable: Whether content may be written; reference repositories of this mode are made by
            other tools.
    """

    properties = StoreProperties(RepoMode.BARE_SPLIT_XATTRS)

    def __init__(self, objects: ObjectDirectory, *, writable: bool = False) -> None:
        super().__init__(objects, with_xattrs=False)
        self._writable = writable

    def has(self, checksum: str, type: ObjectType) -> bool:
        """Whether the object is there; a file without its attributes is not."""
        if not super().has(checksum, type):
            return False
        if type is not ObjectType.FILE:
            return True
        path = loose_path(checksum, _LINK)
        return self.objects.has(path) or (self.staging is not None and self.staging.has(path))

    # reading ----------------------------------------------------------------------------------

    def _load_open(self, checksum: Checksum, fd: int) -> LoadedContent:
        content = super()._load_open(checksum, fd)
        try:
            content.header.xattrs = self._load_xattrs(checksum)
        except BaseException:
            content.fd = None  # the caller's, who closes it
            raise
        return content

    def _header_at(
        self,
        checksum: Checksum,
        place: ObjectDirectory,
        path: str,
        info: os.stat_result,
        *,
        with_xattrs: bool,
    ) -> tuple[FileHeader, int]:
        header, size = super()._header_at(checksum, place, path, info, with_xattrs=False)
        if with_xattrs:
            header.xattrs = self._load_xattrs(checksum)
        return header, size

    def _load_xattrs(self, checksum: Checksum) -> tuple[tuple[bytes, bytes], ...]:
        try:
            return xattrs_format.decode(self.read_xattrs(checksum))
        except FormatError as error:
            error.add_prefix(f"Opening content object {checksum}: Deserializing xattrs content")
            raise

    def read_xattrs(self, checksum: Checksum) -> bytes:
        """The serialised attributes of a file object.

        Raises:
            ObjectNotFoundError: if the object has none, which makes it incomplete.
            CorruptionError: if there is something that cannot be read as a file.
        """
        path = loose_path(checksum, _LINK)
        context = f"Opening content object {checksum}"
        for place in (self.staging, self.objects):
            if place is None:
                continue
            try:
                fd = os.open(path, files.FILE_FLAGS, dir_fd=place.fd)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise unreadable(f"{context}: openat({path})", error) from error
            try:
                return _read_small(fd)
            except OSError as error:
                raise unreadable(f"{context}: Deserializing xattrs content", error) from error
            finally:
                os.close(fd)
        reason = os.strerror(errno.ENOENT)
        raise ObjectNotFoundError(f"{context}: openat({path}): {reason}")

    # writing ----------------------------------------------------------------------------------

    def put_bytes(self, checksum: Checksum, header: FileHeader, data: bytes) -> bool:
        """Store a regular file from memory, or a symbolic link; see the contract."""
        self._require_writable()
        return super().put_bytes(checksum, header, data)

    def begin(self, header: FileHeader, size: int) -> ContentWriter:
        """Start to store a regular file; see the contract."""
        self._require_writable()
        return super().begin(header, size)

    def _require_writable(self) -> None:
        if not self._writable:
            raise RepoError(
                "Not allowed due to repo mode",
                hint="OSTREE_EXP_WRITE_BARE_SPLIT_XATTRS in the environment allows it",
            )

    def _finish(
        self, file: AnonymousFile, target: ObjectDirectory, checksum: Checksum, header: FileHeader
    ) -> bool:
        if self.content_only:
            return self._finish_content(file, target, checksum)
        # First: a file without attributes is an object that is not what its name says.
        self.put_xattrs(checksum, xattrs_format.encode(header.xattrs))
        return super()._finish(file, target, checksum, header)

    def _finish_content(
        self, file: AnonymousFile, target: ObjectDirectory, checksum: Checksum
    ) -> bool:
        """Link a file without owner, mode and attributes, which counts as missing."""
        os.fchmod(file.fd, 0o644)
        os.utime(file.fd, ns=(time.time_ns(), 0))
        if target.sync_files:
            os.fsync(file.fd)
        return target.link(file, loose_path(checksum, "file"))

    def _put_symlink(self, checksum: Checksum, header: FileHeader) -> bool:
        if self.content_only:
            # The reference has no place for the target either: an empty file.
            with AnonymousFile(self.target.temporary_fd) as file:
                return self._finish_content(file, self.target, checksum)
        self.put_xattrs(checksum, xattrs_format.encode(header.xattrs))
        return super()._put_symlink(checksum, header)

    def put_xattrs(self, checksum: Checksum, data: bytes) -> None:
        """Store the serialised attributes of a file object, which is stored after them."""
        target = self.target
        link = loose_path(checksum, _LINK)
        shared = loose_path(hashlib.sha256(data).hexdigest(), _XATTRS)
        target.make_prefix(link)
        for _ in range(_ATTEMPTS):
            try:
                if self._link_shared(shared, link):
                    return
            except FileExistsError:
                return
            except OSError as error:
                if error.errno != errno.EMLINK:
                    raise
                break
            _put_small(target, shared, data)
        # Too many links already, as the empty attributes of a large system get.
        _put_small(target, link, data)

    def _link_shared(self, shared: str, link: str) -> bool:
        """Link to attributes that are there; False if they are not."""
        for place in (self.staging, self.objects):
            if place is not None:
                try:
                    os.link(shared, link, src_dir_fd=place.fd, dst_dir_fd=self.target.fd)
                except FileNotFoundError:
                    continue
                return True
        return False

    def delete(self, name: ObjectName) -> int:
        """Remove an object, a file with its attributes; the bytes the object's own file had.

        Raises:
            ObjectNotFoundError: if it is not there.
        """
        size = super().delete(name)
        if name.type is ObjectType.FILE:
            self._delete_xattrs(name.checksum)
        return size

    def _delete_xattrs(self, checksum: Checksum) -> None:
        try:
            shared = hashlib.sha256(self.read_xattrs(checksum)).hexdigest()
        except (CorruptionError, ObjectNotFoundError):
            shared = None
        files.remove_tree(loose_path(checksum, _LINK), self.objects.fd)
        if shared is None:
            return
        path = loose_path(shared, _XATTRS)
        try:
            if os.stat(path, dir_fd=self.objects.fd, follow_symlinks=False).st_nlink == 1:
                os.unlink(path, dir_fd=self.objects.fd)
        except FileNotFoundError:
            pass  # another had its last link


def share_xattrs(source: LooseStore, destination: LooseStore, checksum: Checksum) -> None:
    """Take over the attributes of a file object from another store of this mode.

    Raises:
        ObjectNotFoundError: if the other store has none.
    """
    if isinstance(source, BareSplitXattrsStore) and isinstance(destination, BareSplitXattrsStore):
        destination.put_xattrs(checksum, source.read_xattrs(checksum))


def _read_small(fd: int) -> bytes:
    info = os.fstat(fd)
    if stat.S_ISDIR(info.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(info.st_mode):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if info.st_size > MAX_METADATA:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return files.read_all(fd, info.st_size)


def _put_small(target: ObjectDirectory, path: str, data: bytes) -> None:
    """Write a file in one step, unless it is there."""
    with AnonymousFile(target.temporary_fd) as file:
        files.write_all(file.fd, data)
        os.fchmod(file.fd, 0o644)
        if target.sync_files:
            os.fsync(file.fd)
        target.link(file, path)
