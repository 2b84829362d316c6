"""Placing one file of a checkout (repository format §6.7).

Every file appears complete or not at all: it is made under a temporary name, or none, and then
linked or renamed into place.
"""

from __future__ import annotations

import os
import stat

from ostree.errors import ExistsError, OSTreeError, RepoError
from ostree.repo.checkout_options import CheckoutOptions, Existing
from ostree.store.content import checksum_descriptor
from ostree.system import copying, files, xattr
from ostree.system.anonymous import AnonymousFile, random_name
from ostree.types import FileHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.store.content import LoadedContent
    from ostree.types import Checksum

WHITEOUT = ".ostree-wh."


class FilePlacer:
    """Makes copies of file objects in open directories.

    Args:
        repo: Where objects come from.
        options: What the caller asked for.
        user_mode: Whether files belong to the current user.
    """

    def __init__(self, repo: Repo, options: CheckoutOptions, *, user_mode: bool) -> None:
        self._repo = repo
        self._options = options
        self._user_mode = user_mode

    def place(self, checksum: Checksum, name: str, dir_fd: int) -> None:
        """Make a copy of a file object."""
        try:
            with self._repo.load_content(checksum) as content:
                if content.header.is_symlink:
                    self._make_symlink(checksum, content, name, dir_fd)
                elif self._options.passthrough_whiteouts and name.startswith(WHITEOUT):
                    self._make_whiteout(content, name[len(WHITEOUT) :], dir_fd)
                else:
                    self._make_copy(checksum, content, name, dir_fd)
        except OSError as error:
            raise RepoError(f"Checking out {name}: {error.strerror}") from error
        except OSTreeError as error:
            error.hint = error.hint or f"while checking out {name}"
            raise

    def _make_symlink(
        self, checksum: Checksum, content: LoadedContent, name: str, dir_fd: int
    ) -> None:
        try:
            self._symlink(content.header, name, dir_fd)
        except FileExistsError:
            temporary = random_name("checkout-union-")
            self._symlink(content.header, temporary, dir_fd)
            self._put(checksum, temporary, name, dir_fd)

    def _symlink(self, header: FileHeader, name: str, dir_fd: int) -> None:
        os.symlink(header.target, name, dir_fd=dir_fd)
        if not self._user_mode:
            os.chown(name, header.uid, header.gid, dir_fd=dir_fd, follow_symlinks=False)
            xattr.write_at(dir_fd, name, header.xattrs)

    def _make_whiteout(self, content: LoadedContent, name: str, dir_fd: int) -> None:
        if not name:
            raise RepoError(f"Invalid empty overlayfs whiteout '{name}'")
        header = content.header
        os.mknod(name, stat.S_IFCHR | stat.S_IMODE(header.mode), 0, dir_fd=dir_fd)
        xattr.write_at(dir_fd, name, header.xattrs)
        os.chown(name, header.uid, header.gid, dir_fd=dir_fd, follow_symlinks=False)
        os.chmod(name, stat.S_IMODE(header.mode), dir_fd=dir_fd)

    def _make_copy(
        self, checksum: Checksum, content: LoadedContent, name: str, dir_fd: int
    ) -> None:
        header = content.header
        with AnonymousFile(dir_fd) as file:
            if content.fd is not None:
                copying.copy_content(content.fd, file.fd)
            else:
                while data := content.read():
                    files.write_all(file.fd, data)
            mode = stat.S_IMODE(header.mode)
            if self._user_mode:
                mode = mode & ~0o6000 | 0o400
            else:
                try:
                    os.fchown(file.fd, header.uid, header.gid)
                except OSError as error:
                    raise RepoError(files.describe("fchown", error)) from error
                xattr.write_fd(file.fd, header.xattrs)
            os.fchmod(file.fd, mode)
            if file.link(name, dir_fd):
                return
            temporary = random_name("checkout-union-")
            file.link(temporary, dir_fd)
        self._put(checksum, temporary, name, dir_fd)

    def _put(self, checksum: Checksum, temporary: str, name: str, dir_fd: int) -> None:
        """Do with a complete file or link what the options say, as its name is taken."""
        existing = self._options.existing
        try:
            if existing is Existing.REPLACE:
                self.rename_over(temporary, name, dir_fd)
            elif existing is Existing.IDENTICAL:
                if not self.is_identical(checksum, name, dir_fd):
                    raise ExistsError(f"File exists: {name}")
            elif existing is Existing.REFUSE:
                raise ExistsError(f"File exists: {name}")
        finally:
            files.remove_tree(temporary, dir_fd)

    def rename_over(self, temporary: str, name: str, dir_fd: int) -> None:
        """Put a file in the place of another; its temporary name is gone afterwards."""
        try:
            os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        except OSError as error:
            raise RepoError(f"renameat({temporary}, {name}): {error.strerror}") from error
        finally:
            # rename(2) of two names of one inode does nothing and leaves both.
            files.remove_tree(temporary, dir_fd)

    def is_identical(self, checksum: Checksum, name: str, dir_fd: int) -> bool:
        """Whether an existing file or link is what the checkout of an object would give."""
        with self._repo.load_content(checksum) as content:
            header = content.header
        info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        if header.is_symlink or not stat.S_ISREG(info.st_mode):
            return (
                header.is_symlink
                and stat.S_ISLNK(info.st_mode)
                and os.readlink(name, dir_fd=dir_fd) == header.target
            )
        fd = os.open(name, files.FILE_FLAGS, dir_fd=dir_fd)
        try:
            if not self._user_mode:
                header = FileHeader(info.st_uid, info.st_gid, info.st_mode, "", xattr.read_fd(fd))
            return checksum_descriptor(header, fd, info.st_size) == checksum
        finally:
            os.close(fd)
