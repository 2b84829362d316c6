"""The files of a checkout that are not hard links (repository format §6.7).

Every file appears complete or not at all: it is made under a temporary name, or none, and then
linked or renamed into place.
"""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import ExistsError, OSTreeError, RepoError
from ostree.repo.checkout_identical import is_copy, is_link_to, is_object
from ostree.repo.checkout_links import put_over
from ostree.repo.checkout_options import Existing
from ostree.store.content import CHUNK
from ostree.system import copying, files, xattr
from ostree.system.anonymous import AnonymousFile, random_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.checkout_options import CheckoutOptions
    from ostree.repo.repository import Repo
    from ostree.store.content import LoadedContent
    from ostree.types import Checksum, FileHeader, Xattrs

#: The bits a user's own checkout does without.
_SET_ID = 0o6000


class Copier:
    """Makes files and symbolic links in open directories; may be used from several threads.

    Args:
        repo: Where objects come from.
        options: What the caller asked for.
        user_mode: Whether files belong to the current user.
    """

    def __init__(self, repo: Repo, options: CheckoutOptions, *, user_mode: bool) -> None:
        self._repo = repo
        self._existing = options.existing
        self._labels = options.labels
        self._user_mode = user_mode
        self._canonical = not repo.store.properties.keeps_owner

    def place(
        self, checksum: Checksum, content: LoadedContent, name: str, dir_fd: int, path: str
    ) -> None:
        """Make the file or link of an object.

        Args:
            checksum: Of the object.
            content: The object, open and not read yet.
            name: What it is to be called.
            dir_fd: Where.
            path: What the policy calls it, if there is one.

        Raises:
            OSTreeError: ``Copy checkout of HEX to NAME: …``.
        """
        try:
            if content.header.is_symlink:
                self._place_symlink(content.header, name, dir_fd, path)
            else:
                self._place_regular(checksum, content, name, dir_fd, path)
        except OSTreeError as error:
            error.add_prefix(f"Copy checkout of {checksum} to {name}")
            raise
        except OSError as error:
            # Calls that have words of their own are answered where they are made.
            raise RepoError(f"Copy checkout of {checksum} to {name}: {error.strerror}") from error

    def file_mode(self, header: FileHeader) -> int:
        """The permissions that a regular file gets."""
        mode = stat.S_IMODE(header.mode)
        return mode & ~_SET_ID | 0o400 if self._user_mode else mode

    def _xattrs(self, header: FileHeader, path: str) -> Xattrs:
        if self._labels is None:
            return header.xattrs
        return self._labels.apply(header.xattrs, path, header.mode)

    # symbolic links ---------------------------------------------------------------------------

    def _place_symlink(self, header: FileHeader, name: str, dir_fd: int, path: str) -> None:
        try:
            self._symlink(header, name, dir_fd, path)
        except FileExistsError as error:
            existing = self._existing
            if existing is Existing.KEEP:
                return
            if existing is Existing.IDENTICAL and is_link_to(header.target, name, dir_fd):
                return
            if existing is not Existing.REPLACE:
                raise ExistsError(files.describe("symlinkat", error)) from error
            temporary = random_name("checkout-union-")
            self._symlink(header, temporary, dir_fd, path)
            try:
                put_over(temporary, name, dir_fd)
            except RepoError as failure:
                reason = os.strerror(errno.EISDIR)
                raise RepoError(f"unlinkat({name}): {reason}") from failure

    def _symlink(self, header: FileHeader, name: str, dir_fd: int, path: str) -> None:
        try:
            os.symlink(header.target, name, dir_fd=dir_fd)
        except FileExistsError:
            raise
        except OSError as error:
            raise RepoError(files.describe("symlinkat", error)) from error
        if self._user_mode:
            return
        try:
            os.chown(name, header.uid, header.gid, dir_fd=dir_fd, follow_symlinks=False)
        except OSError as error:
            raise RepoError(files.describe("fchownat", error)) from error
        for attribute, value in self._xattrs(header, path):
            try:
                xattr.write_at(dir_fd, name, [(attribute, value)])
            except OSError as error:
                raise _xattr_error("lsetxattr", attribute, error) from error

    # regular files ----------------------------------------------------------------------------

    def _place_regular(
        self, checksum: Checksum, content: LoadedContent, name: str, dir_fd: int, path: str
    ) -> None:
        if self._existing is Existing.KEEP and files.exists(name, dir_fd):
            return
        with AnonymousFile(dir_fd) as file:
            _fill(file.fd, content)
            self._dress(file.fd, content.header, path)
            if file.link(name, dir_fd):
                return
            existing = self._existing
            if existing is Existing.KEEP:
                return
            if existing is not Existing.REPLACE:
                if existing is Existing.IDENTICAL and self._is_identical(checksum, name, dir_fd):
                    return
                raise ExistsError(f"linkat: {os.strerror(errno.EEXIST)}")
            temporary = f"./{random_name()}"
            file.link(temporary, dir_fd)
        put_over(temporary, name, dir_fd)

    def _dress(self, fd: int, header: FileHeader, path: str) -> None:
        """Give a file its owner, attributes and mode."""
        if not self._user_mode:
            try:
                os.fchown(fd, header.uid, header.gid)
            except OSError as error:
                raise RepoError(files.describe("fchown", error)) from error
            write_xattrs(fd, self._xattrs(header, path))
        try:
            os.fchmod(fd, self.file_mode(header))
        except OSError as error:
            raise RepoError(files.describe("fchmod", error)) from error

    def _is_identical(self, checksum: Checksum, name: str, dir_fd: int) -> bool:
        if is_object(checksum, name, dir_fd, canonical=self._canonical):
            return True
        if not self._user_mode:
            return False
        # What an earlier checkout has copied for this user.
        with self._repo.load_content(checksum) as content:
            return is_copy(content, self.file_mode(content.header), name, dir_fd)


def write_xattrs(fd: int, xattrs: Xattrs) -> None:
    """Set attributes of an open file or directory.

    Raises:
        RepoError: ``fsetxattr(NAME): …``.
    """
    for attribute, value in xattrs:
        try:
            xattr.write_fd(fd, [(attribute, value)])
        except OSError as error:
            raise _xattr_error("fsetxattr", attribute, error) from error


def _xattr_error(call: str, attribute: bytes, error: OSError) -> RepoError:
    return RepoError(files.describe(f"{call}({os.fsdecode(attribute)})", error))


def _fill(fd: int, content: LoadedContent) -> None:
    if content.fd is not None:
        try:
            copying.copy_content(content.fd, fd)
        except OSError as error:
            raise RepoError(files.describe("regfile copy", error)) from error
        return
    while data := content.read(CHUNK):
        try:
            files.write_all(fd, data)
        except OSError as error:
            raise RepoError(files.describe("Error writing to file descriptor", error)) from error
