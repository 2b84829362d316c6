"""Writing a committed tree into a directory (repository format §6.7)."""

from __future__ import annotations

import errno
import os
import stat
from functools import partial

from ostree.errors import ExistsError, NotFoundError, RepoError
from ostree.repo import tree
from ostree.repo.checkout_file import WHITEOUT, FilePlacer
from ostree.repo.checkout_options import CheckoutOptions, Existing, check_options
from ostree.store.layout import loose_path
from ostree.system import files, xattr
from ostree.system.anonymous import random_name
from ostree.types import Checksum, DirMeta, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ostree.repo.repository import Repo
    from ostree.store.layout import ObjectDirectory
    from ostree.system.workers import WorkerPool

_NO_LINK = (errno.EMLINK, errno.EXDEV, errno.EPERM)
#: Copies handed to a thread at a time.
_BATCH = 32


def checkout(
    repo: Repo,
    commit: Checksum,
    destination: str | os.PathLike[str],
    options: CheckoutOptions | None,
    subpath: str,
    dir_fd: int | None,
) -> None:
    """See :meth:`ostree.repo.repository.Repo.checkout`."""
    options = options or CheckoutOptions()
    check_options(options)
    root = repo.load_commit(commit).root
    entry = tree.lookup(repo, root, subpath)
    with Checkout(repo, options) as work:
        if entry.tree is not None:
            work.directory(entry.tree, os.fspath(destination), dir_fd)
        else:
            work.single_file(entry, os.fspath(destination), dir_fd)


class _Open:
    """A directory being filled; its metadata comes last, when its entries are there."""

    __slots__ = ("created", "fd", "meta", "missing", "parent")

    def __init__(self, fd: int, meta: DirMeta, parent: _Open | None, *, created: bool) -> None:
        self.fd = fd
        self.meta = meta
        self.parent = parent
        self.created = created
        self.missing = 1


def _object_directories(repo: Repo) -> list[ObjectDirectory]:
    """Where objects lie that can be linked: here, and in parents of the same mode."""
    found = []
    at: Repo | None = repo
    while at is not None:
        if at.mode is repo.mode:
            found.append(at.store.objects)
        at = at.parent
    return found


class Checkout:
    """One checkout; a context manager that ends its threads."""

    def __init__(self, repo: Repo, options: CheckoutOptions) -> None:
        self._repo = repo
        self._options = options
        properties = repo.store.properties
        # bare-user-only has nothing to give but files of the current user.
        self._user_mode = options.user_mode or not properties.keeps_owner
        linkable = (
            properties.links_user_checkout if self._user_mode else properties.links_owned_checkout
        )
        self._links = linkable and not options.force_copy
        self._links_symlinks = (
            properties.links_symlinks and not self._user_mode and not options.force_copy
        )
        if options.require_hardlinks and not linkable:
            raise RepoError(
                "User repository mode requires user checkout mode to hardlink"
                if properties.links_user_checkout
                else "Bare repository mode cannot hardlink in user checkout mode"
            )
        self._placer = FilePlacer(repo, options, user_mode=self._user_mode)
        self._places = _object_directories(repo)
        self._pool: WorkerPool | None = None
        self._dirmetas: dict[Checksum, DirMeta] = {}
        self._open: list[_Open] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is not None:
            self._pool.close(discard=kind is not None)
        for directory in self._open:
            os.close(directory.fd)

    # what the caller asks for -----------------------------------------------------------------

    def directory(self, root: TreeId, destination: str, dir_fd: int | None) -> None:
        """Check out a directory as ``destination``."""
        # Entered when their turn comes, so that few descriptors are open at a time.
        stack: list[tuple[_Open | None, str, TreeId]] = [(None, destination, root)]
        while stack:
            parent, name, ids = stack.pop()
            directory = self._enter(ids, name, parent.fd if parent else dir_fd, parent)
            contents = self._repo.load_dirtree(ids.dirtree)
            directory.missing += len(contents.dirs)
            for child, dirtree, dirmeta in reversed(contents.dirs):
                stack.append((directory, child, TreeId(dirtree, dirmeta)))
            self._fill(directory, contents.files)
            if self._pool is not None:
                self._pool.collect()
            self._one_less(directory)
        if self._pool is not None:
            self._pool.drain()

    def single_file(self, entry: tree.Entry, destination: str, dir_fd: int | None) -> None:
        """Check out one file into the directory ``destination``, under its own name."""
        if entry.checksum is None:
            raise NotFoundError(f"No such file or directory: {entry.path}")
        if destination != ".":
            try:
                os.mkdir(destination, 0o700, dir_fd=dir_fd)
            except FileExistsError:
                if self._options.existing is Existing.REFUSE:
                    raise ExistsError(f"mkdirat: {os.strerror(errno.EEXIST)}") from None
            except OSError as error:
                raise RepoError(files.describe("mkdirat", error), hint=destination) from error
        try:
            fd = files.open_directory(destination, dir_fd=dir_fd)
        except OSError as error:
            raise RepoError(files.describe(f"opendir({destination})", error)) from error
        try:
            self._placer.place(entry.checksum, entry.name, fd)
        finally:
            os.close(fd)

    # directories ------------------------------------------------------------------------------

    def _enter(self, ids: TreeId, name: str, dir_fd: int | None, parent: _Open | None) -> _Open:
        meta = self._dirmetas.get(ids.dirmeta)
        if meta is None:
            meta = self._dirmetas[ids.dirmeta] = self._repo.load_dirmeta(ids.dirmeta)
        created = True
        try:
            os.mkdir(name, 0o700, dir_fd=dir_fd)
        except FileExistsError as error:
            if self._options.existing is Existing.REFUSE:
                raise ExistsError(f"mkdirat: {error.strerror}", hint=f"{name} exists") from error
            created = False
        except OSError as error:
            raise RepoError(files.describe("mkdirat", error), hint=name) from error
        try:
            fd = os.open(
                name,
                files.DIRECTORY_FLAGS | (os.O_NOFOLLOW if parent is not None else 0),
                dir_fd=dir_fd,
            )
        except OSError as error:
            raise RepoError(files.describe(f"opendir({name})", error)) from error
        directory = _Open(fd, meta, parent, created=created)
        self._open.append(directory)
        return directory

    def _one_less(self, directory: _Open | None) -> None:
        while directory is not None:
            directory.missing -= 1
            if directory.missing:
                return
            if directory.created:
                self._finish_directory(directory)
            self._open.remove(directory)
            os.close(directory.fd)
            directory = directory.parent

    def _finish_directory(self, directory: _Open) -> None:
        fd, meta = directory.fd, directory.meta
        mode = stat.S_IMODE(meta.mode)
        if self._options.bareuseronly_dirs:
            mode &= 0o775
        try:
            if not self._user_mode:
                xattr.write_fd(fd, meta.xattrs)
                os.fchown(fd, meta.uid, meta.gid)
            os.fchmod(fd, mode)
            if not self._options.force_copy:
                os.utime(fd, ns=(0, 0))
        except OSError as error:
            raise RepoError(files.describe("fchown", error)) from error

    # files ------------------------------------------------------------------------------------

    def _fill(self, directory: _Open, entries: list[tuple[str, Checksum]]) -> None:
        """Link what can be linked at once; leave copies to the threads.

        Linking is all kernel time under one lock of the file system: threads only slow it down.
        """
        if self._links:
            entries = self._link_all(entries, directory.fd)
        if entries and self._pool is None:
            from ostree.system.workers import WorkerPool

            self._pool = WorkerPool()
        for at in range(0, len(entries), _BATCH):
            directory.missing += 1
            job = partial(self._copy_batch, directory, entries[at : at + _BATCH])
            if self._pool is not None:
                self._pool.submit(job)

    def _copy_batch(
        self, directory: _Open, batch: list[tuple[str, Checksum]]
    ) -> Callable[[], None]:
        for name, checksum in batch:
            self._placer.place(checksum, name, directory.fd)
        return partial(self._one_less, directory)

    def _link_all(
        self, entries: list[tuple[str, Checksum]], dir_fd: int
    ) -> list[tuple[str, Checksum]]:
        """Hard-link objects into place; those that have to be copied are returned."""
        rest = []
        whiteouts = self._options.passthrough_whiteouts
        fd = self._places[0].fd
        # The commonest case, a bare repository with original owners, is kept short: it is run
        # for every file of an operating system.
        simple = self._links_symlinks and not whiteouts
        stat_of, link = os.stat, os.link
        for name, checksum in entries:
            if simple:
                path = f"{checksum[:2]}/{checksum[2:]}.file"
                try:
                    # Empty files would run into the limit of links.
                    if stat_of(path, dir_fd=fd, follow_symlinks=False).st_size:
                        link(path, name, src_dir_fd=fd, dst_dir_fd=dir_fd, follow_symlinks=False)
                        continue
                except OSError:
                    pass  # the careful way finds out
            if (whiteouts and name.startswith(WHITEOUT)) or not self._linked(
                checksum, name, dir_fd
            ):
                rest.append((name, checksum))
        return rest

    def _linked(self, checksum: Checksum, name: str, dir_fd: int) -> bool:
        """Hard-link an object into place; False if it has to be copied."""
        path = loose_path(checksum, "file")
        for place in self._places:
            try:
                info = os.stat(path, dir_fd=place.fd, follow_symlinks=False)
            except FileNotFoundError:
                continue
            break
        else:
            return False
        if stat.S_ISLNK(info.st_mode):
            if not self._links_symlinks:
                return False
        elif not info.st_size or (self._user_mode and not self._links_as_user(checksum, info)):
            return False
        try:
            os.link(path, name, src_dir_fd=place.fd, dst_dir_fd=dir_fd, follow_symlinks=False)
        except FileExistsError as error:
            return self._link_over(checksum, place, name, dir_fd, error)
        except OSError as error:
            if error.errno in _NO_LINK and not self._options.require_hardlinks:
                return False
            raise RepoError(f"Hardlinking {path} to {name}: {error.strerror}") from error
        return True

    def _links_as_user(self, checksum: Checksum, info: os.stat_result) -> bool:
        """Whether an object's own file is what a user-mode checkout has to have."""
        if self._repo.store.properties.keeps_xattrs:  # bare-user: links are regular files
            with self._repo.load_content(checksum) as content:
                header = content.header
            if header.is_symlink or not header.mode & 0o400:
                return False
        return bool(info.st_mode & 0o400)

    def _link_over(
        self,
        checksum: Checksum,
        place: ObjectDirectory,
        name: str,
        dir_fd: int,
        error: OSError,
    ) -> bool:
        path = loose_path(checksum, "file")
        existing = self._options.existing
        if existing is Existing.KEEP:
            return True
        if existing is Existing.REPLACE:
            temporary = random_name("checkout-union-")
            os.link(path, temporary, src_dir_fd=place.fd, dst_dir_fd=dir_fd, follow_symlinks=False)
            self._placer.rename_over(temporary, name, dir_fd)
            return True
        if existing is Existing.IDENTICAL:
            ours = os.stat(path, dir_fd=place.fd, follow_symlinks=False)
            theirs = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
            if os.path.samestat(ours, theirs) or self._placer.is_identical(checksum, name, dir_fd):
                return True
        raise ExistsError(f"Hardlinking {path} to {name}: {error.strerror}") from error
