"""Writing a committed tree into a directory (repository format §6.7)."""

from __future__ import annotations

import errno
import os
import stat
from enum import Enum
from functools import partial

from ostree.errors import ExistsError, NotFoundError, OSTreeError, RepoError
from ostree.repo import tree
from ostree.store.content import LoadedContent, checksum_descriptor
from ostree.store.layout import loose_path
from ostree.system import copying, files, xattr
from ostree.system.anonymous import AnonymousFile, random_name
from ostree.system.workers import WorkerPool
from ostree.types import Checksum, DirMeta, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ostree.repo.repository import Repo
    from ostree.store.layout import ObjectDirectory

_NO_LINK = (errno.EMLINK, errno.EXDEV, errno.EPERM)
_WHITEOUT = ".ostree-wh."
#: Copies handed to a thread at a time.
_BATCH = 32


class Existing(Enum):
    """What happens where the destination has something already."""

    REFUSE = "refuse"
    REPLACE = "union"
    KEEP = "union-add"
    IDENTICAL = "union-identical"


class CheckoutOptions:
    """How to check out.

    Attributes:
        user_mode: Files belong to the current user; no attributes, no setuid bits.
        force_copy: Never hard-link.
        require_hardlinks: Fail rather than copy.
        existing: What happens where the destination has something already.
        bareuseronly_dirs: Mask permissions of directories with 0775.
        passthrough_whiteouts: Files ``.ostree-wh.NAME`` become overlay whiteouts NAME.
    """

    __slots__ = (
        "bareuseronly_dirs",
        "existing",
        "force_copy",
        "passthrough_whiteouts",
        "require_hardlinks",
        "user_mode",
    )

    def __init__(
        self,
        *,
        user_mode: bool = False,
        force_copy: bool = False,
        require_hardlinks: bool = False,
        existing: Existing = Existing.REFUSE,
        bareuseronly_dirs: bool = False,
        passthrough_whiteouts: bool = False,
    ) -> None:
        self.user_mode = user_mode
        self.force_copy = force_copy
        self.require_hardlinks = require_hardlinks
        self.existing = existing
        self.bareuseronly_dirs = bareuseronly_dirs
        self.passthrough_whiteouts = passthrough_whiteouts


def check_options(options: CheckoutOptions) -> None:
    """Refuse options that contradict each other.

    Raises:
        RepoError: in upstream's words.
    """
    if options.require_hardlinks and options.force_copy:
        raise RepoError("Cannot specify both --require-hardlinks and --force-copy")
    if options.existing is Existing.IDENTICAL and not options.require_hardlinks:
        raise RepoError("--union-identical requires --require-hardlinks")


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
        self._places = _object_directories(repo)
        self._pool = WorkerPool()
        self._dirmetas: dict[Checksum, DirMeta] = {}
        self._open: list[_Open] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
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
            self._pool.collect()
            self._one_less(directory)
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
        fd = files.open_directory(destination, dir_fd=dir_fd)
        try:
            self._file(entry.checksum, entry.name, fd)
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
        for at in range(0, len(entries), _BATCH):
            directory.missing += 1
            self._pool.submit(partial(self._copy_batch, directory, entries[at : at + _BATCH]))

    def _copy_batch(
        self, directory: _Open, batch: list[tuple[str, Checksum]]
    ) -> Callable[[], None]:
        for name, checksum in batch:
            self._file(checksum, name, directory.fd)
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
                        link(
                            path, name, src_dir_fd=fd, dst_dir_fd=dir_fd, follow_symlinks=False
                        )
                        continue
                except OSError:
                    pass  # the careful way finds out
            if (whiteouts and name.startswith(_WHITEOUT)) or not self._linked(
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
        elif not info.st_size:
            return False
        elif self._user_mode and not self._links_as_user(checksum, info):
            return False
        try:
            os.link(path, name, src_dir_fd=place.fd, dst_dir_fd=dir_fd, follow_symlinks=False)
        except FileExistsError as error:
            return self._link_over(place, path, name, dir_fd, error)
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
        self, place: ObjectDirectory, path: str, name: str, dir_fd: int, error: OSError
    ) -> bool:
        existing = self._options.existing
        if existing is Existing.KEEP:
            return True
        if existing is Existing.REPLACE:
            temporary = random_name("checkout-union-")
            os.link(path, temporary, src_dir_fd=place.fd, dst_dir_fd=dir_fd, follow_symlinks=False)
            self._rename_over(temporary, name, dir_fd)
            return True
        if existing is Existing.IDENTICAL:
            ours = os.stat(path, dir_fd=place.fd, follow_symlinks=False)
            theirs = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
            if os.path.samestat(ours, theirs) or self._is_identical(
                path[:2] + path[3:67], name, dir_fd
            ):
                return True
        raise ExistsError(f"Hardlinking {path} to {name}: {error.strerror}") from error

    def _is_identical(self, checksum: str, name: str, dir_fd: int) -> bool:
        """Whether an existing file or link has the content and metadata of an object."""
        with self._repo.load_content(Checksum(checksum[:64])) as content:
            header = content.header
        info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        if stat.S_ISLNK(info.st_mode):
            return header.is_symlink and os.readlink(name, dir_fd=dir_fd) == header.target
        if header.is_symlink or not stat.S_ISREG(info.st_mode):
            return False
        if not self._user_mode and (header.uid, header.gid, header.mode) != (
            info.st_uid,
            info.st_gid,
            info.st_mode,
        ):
            return False
        fd = os.open(name, files.FILE_FLAGS, dir_fd=dir_fd)
        try:
            return checksum_descriptor(header, fd, info.st_size) == checksum[:64]
        finally:
            os.close(fd)

    def _rename_over(self, temporary: str, name: str, dir_fd: int) -> None:
        try:
            os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        except OSError as error:
            raise RepoError(f"renameat({temporary}, {name}): {error.strerror}") from error
        finally:
            # rename(2) of two names of one inode does nothing and leaves both.
            files.remove_tree(temporary, dir_fd)

    def _file(self, checksum: Checksum, name: str, dir_fd: int) -> None:
        """Make a copy of a file object."""
        try:
            with self._repo.load_content(checksum) as content:
                if content.header.is_symlink:
                    self._make_symlink(content, name, dir_fd)
                elif self._options.passthrough_whiteouts and name.startswith(_WHITEOUT):
                    self._make_whiteout(content, name[len(_WHITEOUT) :], dir_fd)
                else:
                    self._make_copy(content, name, dir_fd)
        except OSError as error:
            raise RepoError(f"Checking out {name}: {error.strerror}") from error
        except OSTreeError as error:
            error.hint = error.hint or f"while checking out {name}"
            raise

    def _make_symlink(self, content: LoadedContent, name: str, dir_fd: int) -> None:
        temporary = random_name("checkout-union-")
        os.symlink(content.header.target, temporary, dir_fd=dir_fd)
        try:
            if not self._user_mode:
                header = content.header
                os.chown(temporary, header.uid, header.gid, dir_fd=dir_fd, follow_symlinks=False)
                xattr.write_at(dir_fd, temporary, header.xattrs)
            self._put(temporary, name, dir_fd, content)
        finally:
            files.remove_tree(temporary, dir_fd)

    def _make_whiteout(self, content: LoadedContent, name: str, dir_fd: int) -> None:
        if not name:
            raise RepoError(f"Invalid empty overlayfs whiteout '{name}'")
        header = content.header
        os.mknod(name, stat.S_IFCHR | stat.S_IMODE(header.mode), 0, dir_fd=dir_fd)
        xattr.write_at(dir_fd, name, header.xattrs)
        os.chown(name, header.uid, header.gid, dir_fd=dir_fd, follow_symlinks=False)
        os.chmod(name, stat.S_IMODE(header.mode), dir_fd=dir_fd)

    def _make_copy(self, content: LoadedContent, name: str, dir_fd: int) -> None:
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
        self._put(temporary, name, dir_fd, content, exists=True)

    def _put(
        self,
        temporary: str,
        name: str,
        dir_fd: int,
        content: LoadedContent,
        *,
        exists: bool = False,
    ) -> None:
        """Give a complete file or link its name, minding what is there."""
        existing = self._options.existing
        try:
            if not exists:
                try:
                    os.link(
                        temporary,
                        name,
                        src_dir_fd=dir_fd,
                        dst_dir_fd=dir_fd,
                        follow_symlinks=False,
                    )
                except FileExistsError:
                    exists = True
            if exists and existing is Existing.REPLACE:
                self._rename_over(temporary, name, dir_fd)
            elif exists and existing is Existing.IDENTICAL:
                self._require_same(content, name, dir_fd)
            elif exists and existing is Existing.REFUSE:
                raise ExistsError(f"File exists: {name}")
        finally:
            files.remove_tree(temporary, dir_fd)

    def _require_same(self, content: LoadedContent, name: str, dir_fd: int) -> None:
        header = content.header
        info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        if header.is_symlink:
            same = stat.S_ISLNK(info.st_mode) and os.readlink(name, dir_fd=dir_fd) == header.target
        else:
            # What gets here as a regular file is empty or not readable by its owner.
            same = stat.S_ISREG(info.st_mode) and info.st_size == content.size == 0
        if not same:
            raise ExistsError(f"File exists: {name}")
