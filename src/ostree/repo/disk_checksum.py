"""Checksums of what lies on the disk, as a commit would name it (repository format §2.4, §7.14)."""

from __future__ import annotations

import hashlib
import os
import stat

from ostree.formats import dirmeta
from ostree.formats.file_header import content_prefix
from ostree.store.content import checksum_descriptor
from ostree.system import files, xattr
from ostree.types import Checksum, DirMeta, FileHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.types import Xattrs


class DiskChecksums:
    """Takes checksums; what it is told about owners and attributes overrides what the disk says.

    Args:
        with_xattrs: Whether extended attributes count.
        owner_uid: The owner everything is taken to have; None for its own.
        owner_gid: The group everything is taken to have; None for its own.
    """

    def __init__(
        self,
        *,
        with_xattrs: bool = True,
        owner_uid: int | None = None,
        owner_gid: int | None = None,
    ) -> None:
        self._with_xattrs = with_xattrs
        self._owner_uid = owner_uid
        self._owner_gid = owner_gid

    def of(self, name: str, info: os.stat_result, *, dir_fd: int | None = None) -> Checksum:
        """The checksum of a file or link, or the dirmeta checksum of a directory.

        Pipes, sockets and devices, which cannot be committed, have the checksum of their metadata.

        Args:
            name: Relative to ``dir_fd``, or to the working directory.
            info: What lstat(2) says about it.
            dir_fd: The directory it is in.

        Raises:
            OSError: if it cannot be read.
            FormatError: if it is a link whose target is not UTF-8.
        """
        kind = stat.S_IFMT(info.st_mode)
        if kind == stat.S_IFREG:
            return self._of_regular(name, dir_fd)
        uid, gid = self._owner(info)
        xattrs = xattr.read_at(dir_fd, name) if self._with_xattrs else ()
        if kind == stat.S_IFDIR:
            data = dirmeta.encode(DirMeta(uid, gid, info.st_mode, xattrs))
        else:
            target = os.readlink(name, dir_fd=dir_fd) if kind == stat.S_IFLNK else ""
            data = content_prefix(FileHeader(uid, gid, info.st_mode, target, xattrs))
        return Checksum.of_digest(hashlib.sha256(data).digest())

    def _of_regular(self, name: str, dir_fd: int | None) -> Checksum:
        fd = os.open(name, files.FILE_FLAGS, dir_fd=dir_fd)
        try:
            info = os.fstat(fd)
            xattrs: Xattrs = xattr.read_fd(fd) if self._with_xattrs else ()
            header = FileHeader(*self._owner(info), info.st_mode, "", xattrs)
            return checksum_descriptor(header, fd, info.st_size)
        finally:
            os.close(fd)

    def _owner(self, info: os.stat_result) -> tuple[int, int]:
        uid = info.st_uid if self._owner_uid is None else self._owner_uid
        gid = info.st_gid if self._owner_gid is None else self._owner_gid
        return uid, gid
