"""Which files of a checkout are hard links to objects, and making them (repository format §3.7)."""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import ExistsError, RepoError
from ostree.repo.checkout_identical import has_same_dress, is_object, is_twin
from ostree.repo.checkout_options import Existing
from ostree.store.layout import loose_path
from ostree.system import files
from ostree.system.anonymous import random_name
from ostree.types import RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.checkout_cache import UncompressedCache
    from ostree.repo.checkout_options import CheckoutOptions
    from ostree.repo.repository import Repo
    from ostree.types import Checksum, FileHeader

#: What a hard link may fail with where a copy works.
_NO_LINK = (errno.EMLINK, errno.EXDEV, errno.EPERM)


class _Place:
    """Objects of one repository, and what a checkout may do with them.

    Attributes:
        repo: Whose they are.
        fd: Of the directory they are in.
        extension: Of content objects.
        regular: Whether regular files can be linked.
        symlinks: Whether symbolic links can be.
    """

    __slots__ = ("extension", "fd", "regular", "repo", "symlinks")

    def __init__(self, repo: Repo, *, user_mode: bool) -> None:
        properties = repo.store.properties
        self.repo = repo
        self.fd = repo.store.objects.fd
        self.extension = repo.store.content_extension
        self.regular = (
            properties.links_user_checkout if user_mode else properties.links_owned_checkout
        )
        self.symlinks = properties.links_symlinks and not user_mode

    def refusal(self) -> RepoError:
        """The error of somebody who wants nothing but links."""
        return RepoError(
            "User repository mode requires user checkout mode to hardlink"
            if self.repo.store.properties.links_user_checkout
            else "Bare repository mode cannot hardlink in user checkout mode"
        )


class Linker:
    """Hard-links objects into open directories.

    Args:
        repo: Where objects come from; its parents are asked, too.
        options: What the caller asked for.
        user_mode: Whether files belong to the current user.
        cache: Decompressed content, if that is to be linked to.
    """

    def __init__(
        self,
        repo: Repo,
        options: CheckoutOptions,
        *,
        user_mode: bool,
        cache: UncompressedCache | None,
    ) -> None:
        self._options = options
        self._user_mode = user_mode
        self._cache = cache
        self._temporary_fd = repo.store.objects.temporary_fd
        self._with_xattrs = repo.store.properties.keeps_xattrs
        self._in_disguise = repo.mode is RepoMode.BARE_USER
        self._places = []
        at: Repo | None = repo
        while at is not None:
            self._places.append(_Place(at, user_mode=user_mode))
            at = at.parent
        first = self._places[0]
        #: A bare repository and original owners: everything but empty files is linked.
        self._simple = first.regular and first.symlinks
        self.active = not options.force_copy and (
            options.require_hardlinks
            or cache is not None
            or any(place.regular for place in self._places)
        )

    def link_all(
        self, entries: list[tuple[str, Checksum]], dir_fd: int
    ) -> list[tuple[str, Checksum]]:
        """Hard-link objects into an empty directory; those that have to be copied are returned.

        This runs for every file of an operating system, so what is usual is tried first with as
        few calls as can be, and the careful way finds out about all else.
        """
        rest = []
        link, stat_of = os.link, os.stat
        if self._cache is not None:
            fd = self._cache.directory.fd
        elif self._simple:
            fd = self._places[0].fd
        else:
            return [entry for entry in entries if not self.link(entry[1], entry[0], dir_fd)]
        cached = self._cache is not None
        for name, checksum in entries:
            path = f"{checksum[:2]}/{checksum[2:]}.file"
            try:
                # Empty files would run into the limit of links; the cache has none.
                if cached or stat_of(path, dir_fd=fd, follow_symlinks=False).st_size:
                    link(path, name, src_dir_fd=fd, dst_dir_fd=dir_fd, follow_symlinks=False)
                    continue
            except OSError:
                pass
            if not self.link(checksum, name, dir_fd):
                rest.append((name, checksum))
        return rest

    def link(self, checksum: Checksum, name: str, dir_fd: int) -> bool:
        """Hard-link an object into place; False if it has to be copied.

        Raises:
            ExistsError: the name is taken, and not to be replaced.
            RepoError: it cannot be linked, and is not to be copied.
        """
        if not self.active:
            return False
        if self._cache is not None:
            path = loose_path(checksum, "file")
            if files.exists(path, self._cache.directory.fd):
                return self._link(path, self._cache.directory.fd, checksum, name, dir_fd)
        for place in self._places:
            path = loose_path(checksum, place.extension)
            try:
                info = os.stat(path, dir_fd=place.fd, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if self._may_link(place, checksum, info):
                return self._link(path, place.fd, checksum, name, dir_fd)
            return False
        # Nowhere to be seen: staged by a transaction, or missing, which is found out here.
        _header(self._places[0].repo, checksum)
        return False

    def _may_link(self, place: _Place, checksum: Checksum, info: os.stat_result) -> bool:
        """Whether the file of an object is what the checkout has to have."""
        if place.regular:
            if stat.S_ISLNK(info.st_mode):
                return place.symlinks
            if not info.st_size:
                return False
            if not self._user_mode:
                return True
            # In bare-user repositories links are regular files, too.
            return bool(info.st_mode & 0o400) and (
                not place.repo.store.properties.keeps_xattrs
                or _is_same_for_user(_header(place.repo, checksum)[0])
            )
        if self._options.require_hardlinks:
            header, size = _header(place.repo, checksum)
            if not self._is_never_linked(place, header, size):
                raise place.refusal()
        return False

    def _is_never_linked(self, place: _Place, header: FileHeader, size: int) -> bool:
        """Whether a file is copied even for those who want nothing but links."""
        if header.is_symlink:
            return place.repo.store.properties.links_user_checkout
        return not size or (self._user_mode and not header.mode & 0o400)

    def _link(self, path: str, fd: int, checksum: Checksum, name: str, dir_fd: int) -> bool:
        try:
            os.link(path, name, src_dir_fd=fd, dst_dir_fd=dir_fd, follow_symlinks=False)
        except FileExistsError as error:
            return self._link_over(path, fd, checksum, name, dir_fd, error)
        except OSError as error:
            return self._not_linked(path, name, error)
        return True

    def _not_linked(self, path: str, name: str, error: OSError) -> bool:
        """A link was not to be had: False if a copy will do."""
        # An entry of the cache may be gone since it was looked at.
        if self._cache is not None and error.errno == errno.ENOENT:
            return False
        if error.errno in _NO_LINK and not self._options.require_hardlinks:
            return False
        raise RepoError(f"Hardlinking {path} to {name}: {error.strerror}") from error

    def _link_over(
        self, path: str, fd: int, checksum: Checksum, name: str, dir_fd: int, error: OSError
    ) -> bool:
        existing = self._options.existing
        if existing is Existing.KEEP:
            return True
        if existing is not Existing.REFUSE and self._is_there(path, fd, checksum, name, dir_fd):
            return True
        if existing is not Existing.REPLACE:
            raise ExistsError(f"Hardlinking {path} to {name}: {error.strerror}") from error
        temporary = random_name("checkout-union-")
        # In the repository, where others clean up if this is killed.
        holder = self._temporary_fd if self._temporary_fd >= 0 else dir_fd
        try:
            os.link(path, temporary, src_dir_fd=fd, dst_dir_fd=holder, follow_symlinks=False)
        except OSError as failure:
            return self._not_linked(path, name, failure)
        try:
            _rename(temporary, name, dir_fd, holder)
        except OSError as failure:
            if failure.errno == errno.EXDEV:
                return self._not_linked(path, name, failure)
            raise _rename_error(temporary, name, failure) from failure
        return True

    def _is_there(self, path: str, fd: int, checksum: Checksum, name: str, dir_fd: int) -> bool:
        """Whether the destination has the object already, or something just like it."""
        if is_twin(path, fd, name, dir_fd, with_xattrs=self._with_xattrs):
            return True
        # The file of a bare-user object has attributes of its own.
        return (
            self._in_disguise
            and has_same_dress(path, fd, name, dir_fd)
            and is_object(checksum, name, dir_fd, canonical=False)
        )


def put_over(temporary: str, name: str, dir_fd: int) -> None:
    """Put a file in the place of another; its temporary name is gone afterwards.

    Raises:
        RepoError: ``renameat(TEMPORARY, NAME): Is a directory``.
    """
    try:
        _rename(temporary, name, dir_fd, dir_fd)
    except OSError as error:
        raise _rename_error(temporary, name, error) from error


def _rename(temporary: str, name: str, dir_fd: int, holder: int) -> None:
    """Rename a file from the directory ``holder``, or remove it if that fails."""
    try:
        os.rename(temporary, name, src_dir_fd=holder, dst_dir_fd=dir_fd)
    finally:
        # rename(2) of two names of one inode does nothing and leaves both.
        files.remove_tree(temporary, holder)


def _rename_error(temporary: str, name: str, error: OSError) -> RepoError:
    return RepoError(files.describe(f"renameat({temporary}, {name})", error))


def _header(repo: Repo, checksum: Checksum) -> tuple[FileHeader, int]:
    return repo.store.header(checksum, with_xattrs=False)


def _is_same_for_user(header: FileHeader) -> bool:
    """Whether what a bare-user repository has is what its user is to get."""
    return not header.is_symlink and bool(header.mode & 0o400)
