"""Files that stand for the absence of others (repository format §6.7).

Two kinds: those of container images (``.wh.NAME``), which remove what lower layers have put into
the destination, and those of overlay file systems (``.ostree-wh.NAME``), which become character
devices 0:0 for a mount to come.
"""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import ExistsError, OSTreeError, RepoError
from ostree.formats.filename import check_filename
from ostree.repo.checkout_links import put_over
from ostree.repo.checkout_options import Existing
from ostree.system import files, xattr
from ostree.system.anonymous import random_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.types import Checksum, FileHeader

_PREFIX = ".wh."
_OPAQUE = ".wh..wh..opq"
_OVERLAY_PREFIX = ".ostree-wh."


def is_opaque(entries: list[tuple[str, Checksum]]) -> bool:
    """Whether a directory hides all that lower layers have in its place."""
    return any(name == _OPAQUE for name, _ in entries)


def is_whiteout(name: str) -> bool:
    """Whether a regular file of that name stands for the absence of something."""
    return name.startswith(_PREFIX)


def hides_one(name: str) -> bool:
    """Whether a whiteout removes what it names; the mark of opaque directories names nothing."""
    return name != _OPAQUE


def hidden_name(name: str) -> str:
    """What a whiteout removes.

    Raises:
        OSTreeError: if it names nothing, or what no directory can contain.
    """
    hidden = name[len(_PREFIX) :]
    if not hidden:
        raise RepoError(f"Invalid empty whiteout '{hidden}'")
    check_filename(hidden)
    return hidden


def is_overlay_whiteout(name: str) -> bool:
    """Whether a regular file of that name is to become a device."""
    return name.startswith(_OVERLAY_PREFIX)


def overlay_name(name: str) -> str:
    """What an overlay whiteout hides.

    Raises:
        OSTreeError: if it names nothing, or what no directory can contain.
    """
    hidden = name[len(_OVERLAY_PREFIX) :]
    if not hidden:
        raise RepoError(f"Invalid empty overlayfs whiteout '{hidden}'")
    check_filename(hidden)
    return hidden


class DeviceMaker:
    """Makes overlay whiteouts.

    Args:
        existing: What happens where there is something of the name.
        user_mode: Whether they belong to the current user.
    """

    def __init__(self, existing: Existing, *, user_mode: bool) -> None:
        self._existing = existing
        self._user_mode = user_mode

    def place(self, header: FileHeader, name: str, dir_fd: int) -> None:
        """Make a device called ``name`` with the metadata of a file.

        Raises:
            OSTreeError: naming what is in the way, or not allowed.
        """
        if files.exists(name, dir_fd):
            if self._existing is Existing.KEEP:
                return
            if self._existing is Existing.IDENTICAL:
                self._check_identical(header, name, dir_fd)
                return
        temporary = random_name("checkout-union-")
        try:
            self._make(header, temporary, name, dir_fd)
            self._put(temporary, name, dir_fd)
        finally:
            files.remove_tree(temporary, dir_fd)

    def _put(self, temporary: str, name: str, dir_fd: int) -> None:
        if self._existing is Existing.REPLACE:
            try:
                put_over(temporary, name, dir_fd)
            except RepoError as error:
                raise RepoError(f"unlink({name}): {os.strerror(errno.EISDIR)}") from error
            return
        try:
            os.link(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd, follow_symlinks=False)
        except FileExistsError as error:
            raise ExistsError(files.describe(f"mknodat({name})", error)) from error

    def _make(self, header: FileHeader, temporary: str, name: str, dir_fd: int) -> None:
        mode = stat.S_IMODE(header.mode)
        try:
            os.mknod(temporary, stat.S_IFCHR | mode, 0, dir_fd=dir_fd)
        except OSError as error:
            raise RepoError(
                f"Creating whiteout char device: mknodat({name}): {error.strerror}"
            ) from error
        if not self._user_mode:
            self._dress(header, temporary, dir_fd)
        os.chmod(temporary, mode, dir_fd=dir_fd)

    def _dress(self, header: FileHeader, temporary: str, dir_fd: int) -> None:
        for attribute, value in header.xattrs:
            try:
                xattr.write_at(dir_fd, temporary, [(attribute, value)])
            except OSError as error:
                shown = files.describe(f"lsetxattr({os.fsdecode(attribute)})", error)
                raise RepoError(f"Setting xattrs for whiteout char device: {shown}") from error
        try:
            os.chown(temporary, header.uid, header.gid, dir_fd=dir_fd, follow_symlinks=False)
        except OSError as error:
            shown = files.describe("fchownat", error)
            raise RepoError(f"Setting owner of whiteout char device: {shown}") from error

    def _check_identical(self, header: FileHeader, name: str, dir_fd: int) -> None:
        """Refuse anything but what :meth:`place` would make."""
        info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        problem = None
        if not self._user_mode:
            if xattr.read_at(dir_fd, name) != header.xattrs:
                problem = "xattrs don't match"
            elif info.st_gid != header.gid:
                problem = f"does not match gid {header.gid}"
            elif info.st_uid != header.uid:
                problem = f"does not match uid {header.uid}"
        if problem is None and stat.S_IMODE(info.st_mode) != stat.S_IMODE(header.mode):
            problem = f"does not match mode {header.mode:o}"
        if problem is None and not (stat.S_ISCHR(info.st_mode) and info.st_rdev == 0):
            problem = "is not a character device 0:0"
        if problem is not None:
            raise OSTreeError(f"existing destination file {name} {problem}")
