"""The content that a stateroot's ``/var`` begins with (deployments §7.4).

A ``/var`` with anything in it is never touched again, so it must not be seen half filled: it is
filled under another name, on disk, and then takes the place of the empty one.
"""

from __future__ import annotations

import errno
import os
import stat

from ostree.repo.checkout_options import CheckoutOptions, Existing
from ostree.sysroot.initializing import make_empty_directories
from ostree.system.files import (
    exists,
    make_directory,
    open_subdirectory,
    remove_tree,
    sync_filesystem,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.types import Checksum

_STANDARD = (("tmp", 0o1777), ("lib", 0o777), ("log", 0o755))
_STANDARD_LINKS = (("run", "../run"), ("lock", "../run/lock"))
#: Somebody else filled it, or it is a mount point that cannot be replaced.
_FILLED = (errno.ENOTEMPTY, errno.EEXIST)
_MOUNTED = (errno.EBUSY, errno.EXDEV)


class VarSeeder:
    """Fills the ``/var`` of one stateroot from a commit.

    Args:
        repo: Where the commit is.
        checksum: The commit.
        stateroot_fd: The stateroot's directory, with an empty ``var`` in it, or none yet.
        standard: Whether the tree cannot make the usual directories for itself.
    """

    def __init__(
        self, repo: Repo, checksum: Checksum, stateroot_fd: int, *, standard: bool
    ) -> None:
        self._repo = repo
        self._checksum = checksum
        self._fd = stateroot_fd
        self._standard = standard

    def seed(self, *, in_use: bool) -> None:
        """Fill it, unless anything is in it.

        Args:
            in_use: Whether it is mounted at ``/var``, so that another directory would not do.

        Raises:
            OSTreeError: it is as it was, and can be filled the next time.
        """
        make_directory("var", self._fd)
        fd = open_subdirectory(self._fd, "var")
        try:
            info = os.fstat(fd)
            if os.listdir(fd):
                return
        finally:
            os.close(fd)
        if in_use or not self._replace(info):
            self._fill("var")

    def _replace(self, info: os.stat_result) -> bool:
        """Put a filled directory in place of the empty one; False if that has to stay."""
        remove_tree(".var-seed", self._fd)
        make_directory(".var-seed", self._fd, 0o700)
        self._fill(".var-seed")
        fd = open_subdirectory(self._fd, ".var-seed")
        try:
            here = os.fstat(fd)
            if (here.st_uid, here.st_gid) != (info.st_uid, info.st_gid):
                os.fchown(fd, info.st_uid, info.st_gid)
            os.fchmod(fd, stat.S_IMODE(info.st_mode))
            if self._repo.config.fsync:
                sync_filesystem(fd)
        finally:
            os.close(fd)
        try:
            os.rename(".var-seed", "var", src_dir_fd=self._fd, dst_dir_fd=self._fd)
        except OSError as error:
            if error.errno not in _FILLED + _MOUNTED:
                raise
            remove_tree(".var-seed", self._fd)
            return error.errno in _FILLED
        return True

    def _fill(self, name: str) -> None:
        self._repo.checkout(
            self._checksum,
            name,
            options=CheckoutOptions(force_copy=True, existing=Existing.REPLACE),
            subpath="/var",
            dir_fd=self._fd,
        )
        if self._standard:
            fd = open_subdirectory(self._fd, name)
            try:
                _make_standard(fd)
            finally:
                os.close(fd)


def _make_standard(var_fd: int) -> None:
    """What a tree without tmpfiles.d cannot make for itself."""
    make_empty_directories(_STANDARD, var_fd)
    for name, target in _STANDARD_LINKS:
        if not exists(name, var_fd):
            os.symlink(target, name, dir_fd=var_fd)
