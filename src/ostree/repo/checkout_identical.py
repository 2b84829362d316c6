"""Whether something in the destination is what a checkout would put there (§6.7)."""

from __future__ import annotations

import os
import stat

from ostree.errors import FormatError
from ostree.store.content import CHUNK, checksum_descriptor
from ostree.system import files, xattr
from ostree.types import FileHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.store.content import LoadedContent
    from ostree.types import Checksum


def is_object(checksum: Checksum, name: str, dir_fd: int, *, canonical: bool) -> bool:
    """Whether an existing file or link, committed as it is, would be the object.

    Args:
        checksum: Of the object.
        name: Of the file in the directory.
        dir_fd: The directory.
        canonical: Whether owners and attributes do not count, as in bare-user-only repositories.
    """
    try:
        return _checksum(name, dir_fd, canonical=canonical) == checksum
    except FormatError:  # what it links to is not UTF-8
        return False


def _checksum(name: str, dir_fd: int, *, canonical: bool) -> Checksum | None:
    info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    uid, gid = (0, 0) if canonical else (info.st_uid, info.st_gid)
    if stat.S_ISLNK(info.st_mode):
        xattrs = () if canonical else xattr.read_at(dir_fd, name)
        target = os.readlink(name, dir_fd=dir_fd)
        return checksum_descriptor(FileHeader(uid, gid, info.st_mode, target, xattrs), -1, 0)
    if not stat.S_ISREG(info.st_mode):
        return None
    fd = os.open(name, files.FILE_FLAGS, dir_fd=dir_fd)
    try:
        xattrs = () if canonical else xattr.read_fd(fd)
        return checksum_descriptor(FileHeader(uid, gid, info.st_mode, "", xattrs), fd, info.st_size)
    finally:
        os.close(fd)


def is_twin(path: str, fd: int, name: str, dir_fd: int, *, with_xattrs: bool) -> bool:
    """Whether an existing file or link is the same as the file of an object, or just like it.

    Args:
        path: Of the object's file.
        fd: The directory that path is relative to.
        name: Of what exists.
        dir_fd: Its directory.
        with_xattrs: Whether attributes count.
    """
    ours = os.stat(path, dir_fd=fd, follow_symlinks=False)
    theirs = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    if os.path.samestat(ours, theirs):
        return True
    if _dress(ours) != _dress(theirs) or (
        with_xattrs and xattr.read_at(fd, path) != xattr.read_at(dir_fd, name)
    ):
        return False
    if stat.S_ISLNK(ours.st_mode):
        return os.readlink(path, dir_fd=fd) == os.readlink(name, dir_fd=dir_fd)
    return stat.S_ISREG(ours.st_mode) and _have_same_content(path, fd, name, dir_fd)


def has_same_dress(path: str, fd: int, name: str, dir_fd: int) -> bool:
    """Whether both have the same owner, mode and size; arguments as :func:`is_twin`."""
    ours = os.stat(path, dir_fd=fd, follow_symlinks=False)
    return _dress(ours) == _dress(os.stat(name, dir_fd=dir_fd, follow_symlinks=False))


def _dress(info: os.stat_result) -> tuple[int, int, int, int]:
    return info.st_uid, info.st_gid, info.st_mode, info.st_size


def _have_same_content(path: str, fd: int, name: str, dir_fd: int) -> bool:
    """Whether two files of one size have the same content."""
    ours = os.open(path, files.FILE_FLAGS, dir_fd=fd)
    try:
        theirs = os.open(name, files.FILE_FLAGS, dir_fd=dir_fd)
        try:
            at = 0
            while data := os.pread(ours, CHUNK, at):
                if os.pread(theirs, len(data), at) != data:
                    return False
                at += len(data)
            return True
        finally:
            os.close(theirs)
    finally:
        os.close(ours)


def is_copy(content: LoadedContent, mode: int, name: str, dir_fd: int) -> bool:
    """Whether an existing file is the user's, with the content and permissions of a copy."""
    info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    if (
        not stat.S_ISREG(info.st_mode)
        or stat.S_IMODE(info.st_mode) != mode
        or info.st_size != content.size
        or info.st_uid != os.geteuid()
    ):
        return False
    fd = os.open(name, files.FILE_FLAGS, dir_fd=dir_fd)
    try:
        at = 0
        while ours := content.read(CHUNK):
            if os.pread(fd, len(ours), at) != ours:
                return False
            at += len(ours)
        return True
    finally:
        os.close(fd)


def is_link_to(target: str, name: str, dir_fd: int) -> bool:
    """Whether there is a symbolic link to that target."""
    info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    return stat.S_ISLNK(info.st_mode) and os.readlink(name, dir_fd=dir_fd) == target
