"""Writing a committed tree into a directory (repository format §6.7)."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from functools import partial
from struct import Struct

from ostree.errors import ExistsError, NotFoundError, OSTreeError, RepoError
from ostree.events import StepProgress
from ostree.repo import checkout_whiteouts as whiteouts
from ostree.repo import tree
from ostree.repo.checkout_cache import UncompressedCache, is_cached
from ostree.repo.checkout_copies import Copier, write_xattrs
from ostree.repo.checkout_labels import top_path
from ostree.repo.checkout_links import Linker
from ostree.repo.checkout_options import CheckoutOptions, Existing
from ostree.system import files
from ostree.system.worker_processes import LARGE_FILE, WorkerProcesses, one_by_one
from ostree.types import Checksum, DirMeta, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from ostree.events import Listener
    from ostree.repo.repository import Repo
    from ostree.store.content import LoadedContent
    from ostree.system.workers import WorkerPool

    Entries = list[tuple[str, Checksum]]

#: Large files waiting for a worker, at most, and files for another process at a time.
_BACKLOG, _TASK = 32, 32
#: Files between two reports of progress, about.
_REPORT_EVERY = 1000


def checkout(
    repo: Repo,
    commit: Checksum,
    destination: str | os.PathLike[str],
    options: CheckoutOptions | None,
    subpath: str,
    dir_fd: int | None,
    on_event: Listener | None,
) -> None:
    """See :meth:`ostree.repo.repository.Repo.checkout`."""
    options = options or CheckoutOptions()
    options.check()
    root = repo.load_commit(commit).root
    try:
        entry = tree.lookup(repo, root, subpath)
    except NotFoundError as error:
        # What would have to be below a file is not missing, but wrong.
        if options.allow_missing and not isinstance(error, tree.NotDirectoryError):
            return
        raise
    with Checkout(repo, options, on_event) as work:
        if entry.tree is not None:
            work.directory(entry.tree, entry.path, os.fspath(destination), dir_fd)
        else:
            work.single_file(entry, os.fspath(destination), dir_fd)


#: How a task for another process begins: descriptor of the directory, number of files.
_TASK_START = Struct("=ii")
#: That process leaves the directory itself alone.
_NO_META = DirMeta(0, 0, 0)


class _Open:
    """A directory being filled; its metadata comes last, when its entries are there."""

    __slots__ = ("created", "fd", "meta", "missing", "parent", "path")

    def __init__(
        self, fd: int, meta: DirMeta, parent: _Open | None, path: str, *, created: bool
    ) -> None:
        self.fd = fd
        self.meta = meta
        self.parent = parent
        self.path = path
        self.created = created
        self.missing = 1


class Checkout:
    """One checkout; a context manager that ends its threads."""

    def __init__(self, repo: Repo, options: CheckoutOptions, on_event: Listener | None) -> None:
        self._repo = repo
        self._options = options
        self._emit = on_event
        # bare-user-only has nothing to give but files of the current user.
        self._user_mode = options.user_mode or not repo.store.properties.keeps_owner
        # Directories that were pulled into it may be anything.
        self._masks_directories = options.bareuseronly_dirs or not repo.store.properties.keeps_owner
        self._cache = self._open_cache()
        self._linker = Linker(repo, options, user_mode=self._user_mode, cache=self._cache)
        self._copier = Copier(repo, options, user_mode=self._user_mode)
        self._devices = whiteouts.DeviceMaker(options.existing, user_mode=self._user_mode)
        self._top = ""
        self._inline = repo.store.properties.inline_limit
        self._pool: WorkerPool | None = None
        self._processes = WorkerProcesses(one_by_one(self._work))
        self._dirmetas: dict[Checksum, DirMeta] = {}
        self._open: list[_Open] = []
        self._done = 0
        self._total: int | None = None
        self._next_report = _REPORT_EVERY

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._processes.close()
        if self._pool is not None:
            self._pool.close(discard=kind is not None)
        for directory in self._open:
            os.close(directory.fd)
        if self._cache is not None:
            self._cache.close()

    def _open_cache(self) -> UncompressedCache | None:
        if not (self._options.uncompressed_cache and self._user_mode):
            return None
        return UncompressedCache.open(self._repo, fsync=self._options.fsync)

    # what the caller asks for -----------------------------------------------------------------

    def directory(self, root: TreeId, place: str, destination: str, dir_fd: int | None) -> None:
        """Check out the directory that is at ``place`` in its commit as ``destination``."""
        self._top = top_path(self._options.labels, place)
        skip = self._options.skip
        if "/" in skip:
            return
        if self._emit is not None and not skip:
            # What is wrong with the tree is found again where it matters.
            with suppress(OSTreeError):
                self._total = tree.count_files(self._repo, root)
        # Entered when their turn comes, so that few descriptors are open at a time.
        stack: list[tuple[_Open | None, str, TreeId]] = [(None, destination, root)]
        while stack:
            parent, name, ids = stack.pop()
            contents = self._repo.load_dirtree(ids.dirtree)
            meta = self._load_dirmeta(ids.dirmeta)
            directory = (
                self._enter_root(name, dir_fd, meta, contents.files)
                if parent is None
                else self._enter(name, parent, meta, contents.files)
            )
            for child, dirtree, dirmeta in reversed(contents.dirs):
                if not skip or f"{directory.path}/{child}/" not in skip:
                    directory.missing += 1
                    stack.append((directory, child, TreeId(dirtree, dirmeta)))
            self._fill(directory, contents.files)
            self._one_less(directory)
        self._processes.drain()
        if self._pool is not None:
            self._pool.drain()
        self._report(final=True)

    def single_file(self, entry: tree.Entry, destination: str, dir_fd: int | None) -> None:
        """Check out one file into the directory ``destination``, under its own name."""
        if entry.checksum is None:
            raise NotFoundError(f"No such file or directory: {entry.path}")
        if destination != ".":
            try:
                os.mkdir(destination, 0o700, dir_fd=dir_fd)
            except FileExistsError:
                pass
            except OSError as error:
                raise RepoError(files.describe("mkdirat", error), hint=destination) from error
        fd = _open_directory(destination, dir_fd, follow=True)
        try:
            self._check_device(fd)
            path = top_path(self._options.labels, entry.path) or "/"
            self._place(entry.checksum, entry.name, fd, path)
        finally:
            os.close(fd)
        self._done += 1
        self._report(final=True)

    # directories ------------------------------------------------------------------------------

    def _load_dirmeta(self, checksum: Checksum) -> DirMeta:
        """A dirmeta; a tree of thousands of directories has a handful of them."""
        meta = self._dirmetas.get(checksum)
        if meta is None:
            meta = self._dirmetas[checksum] = self._repo.load_dirmeta(checksum)
        return meta

    def _enter_root(
        self, destination: str, dir_fd: int | None, meta: DirMeta, entries: Entries
    ) -> _Open:
        opaque = self._options.whiteouts and whiteouts.is_opaque(entries)
        created = self._make_directory(destination, dir_fd, may_exist=opaque)
        fd = _open_directory(destination, dir_fd, follow=True)
        directory = _Open(fd, meta, None, "", created=created)
        self._open.append(directory)
        self._check_device(fd)
        if opaque and not created:
            # As good as new.
            for name in os.listdir(fd):
                files.remove_tree(name, fd)
            directory.created = True
        return directory

    def _enter(self, name: str, parent: _Open, meta: DirMeta, entries: Entries) -> _Open:
        options = self._options
        if options.whiteouts and whiteouts.is_opaque(entries):
            files.remove_tree(name, parent.fd)
        created = self._make_directory(name, parent.fd)
        try:
            fd = _open_directory(name, parent.fd, follow=False)
        except RepoError:
            replaces = options.whiteouts and options.existing is Existing.REPLACE
            if created or not replaces or not _remove_other(name, parent.fd):
                raise
            created = self._make_directory(name, parent.fd)
            fd = _open_directory(name, parent.fd, follow=False)
        directory = _Open(fd, meta, parent, f"{parent.path}/{name}", created=created)
        self._open.append(directory)
        return directory

    def _make_directory(self, name: str, dir_fd: int | None, *, may_exist: bool = False) -> bool:
        """Make a directory; False if there is something of that name, and that is allowed."""
        try:
            os.mkdir(name, 0o700, dir_fd=dir_fd)
        except FileExistsError as error:
            if self._options.existing is Existing.REFUSE and not may_exist:
                raise ExistsError(f"mkdirat: {error.strerror}", hint=f"{name} exists") from error
            return False
        except OSError as error:
            raise RepoError(files.describe("mkdirat", error), hint=name) from error
        return True

    def _check_device(self, fd: int) -> None:
        """Refuse a destination that nothing can be linked to, if nothing but links will do."""
        if not self._options.require_hardlinks:
            return
        ours, theirs = os.fstat(self._repo.dir_fd).st_dev, os.fstat(fd).st_dev
        if ours != theirs:
            raise RepoError(
                f"Unable to do hardlink checkout across devices (src={ours} destination={theirs})"
            )

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
        if self._masks_directories:
            mode &= 0o775
        if not self._user_mode:
            xattrs = meta.xattrs
            if self._options.labels is not None:
                path = self._top + directory.path or "/"
                xattrs = self._options.labels.apply(xattrs, path, meta.mode)
            write_xattrs(fd, xattrs)
        try:
            if not self._user_mode:
                os.fchown(fd, meta.uid, meta.gid)
            os.fchmod(fd, mode)
            if not self._options.force_copy:
                os.utime(fd, ns=(0, 0))
        except OSError as error:
            raise RepoError(files.describe("fchown", error)) from error

    # files ------------------------------------------------------------------------------------

    def _fill(self, directory: _Open, entries: Entries) -> None:
        """Put files into a directory."""
        options = self._options
        if options.whiteouts:
            entries = self._apply_whiteouts(directory, entries)
            if options.existing is Existing.REPLACE and not directory.created:
                _clear_directories(directory.fd, entries)
        if options.skip:
            entries = [
                item for item in entries if f"{directory.path}/{item[0]}" not in options.skip
            ]
        becomes_device = options.passthrough_whiteouts and any(
            whiteouts.is_overlay_whiteout(name) for name, _ in entries
        )
        if directory.created and not becomes_device:
            self._share_new(directory, entries)
        else:
            # One after the other, so that what is in the way is found in its turn.
            for name, checksum in entries:
                path = f"{self._top}{directory.path}/{name}"
                self._place(checksum, name, directory.fd, path)
        self._done += len(entries)
        self._report()

    def _apply_whiteouts(self, directory: _Open, entries: Entries) -> Entries:
        """Remove what whiteouts hide, before anything is added; the other entries."""
        others = []
        for name, checksum in entries:
            if not whiteouts.is_whiteout(name) or self._is_symlink(checksum):
                others.append((name, checksum))
            elif whiteouts.hides_one(name):
                files.remove_tree(whiteouts.hidden_name(name), directory.fd)
        return others

    def _is_symlink(self, checksum: Checksum) -> bool:
        return self._repo.load_file_header(checksum)[0].is_symlink

    def _share_new(self, directory: _Open, entries: Entries) -> None:
        """Put files into a new directory, here those that no other process has room for."""
        for at in range(0, len(entries), _TASK):
            batch = entries[at : at + _TASK]
            directory.missing += 1
            task = _pack_task(directory, batch)
            if self._processes.hand_out(task, partial(self._settle, directory, batch)):
                continue
            directory.missing -= 1
            self._place_new(directory, batch)

    def _place_new(self, directory: _Open, entries: Entries, *, alone: bool = False) -> None:
        """Put files into a new directory where nothing is in their way."""
        rest = self._linker.link_all(entries, directory.fd) if self._linker.active else entries
        for name, checksum in rest:
            self._copy(directory, name, checksum, alone=alone)

    def _work(self, task: bytes) -> bytes:
        """In another process: put files into a new directory that the first one has open."""
        with _unpack_task(task) as (directory, entries):
            self._place_new(directory, entries, alone=True)
        return b"done"

    def _settle(self, directory: _Open, entries: Entries, reply: bytes | None) -> None:
        """Do what another process could not: some of it may be there."""
        if reply is None:
            for name, _ in entries:
                files.remove_tree(name, directory.fd)
            self._place_new(directory, entries, alone=True)
        self._one_less(directory)

    def _copy(
        self, directory: _Open, name: str, checksum: Checksum, *, alone: bool = False
    ) -> None:
        """Copy a file: a small one at once, as a thread would only wait for the others.

        With ``alone``, no other process is to do it.
        """
        path = f"{self._top}{directory.path}/{name}"
        processes = self._processes
        with self._load(checksum, name) as content:
            is_large = processes.possible and content.size > LARGE_FILE
            if is_large and not alone and self._hand_out_large(directory, name, checksum):
                return
            if content.size <= self._inline or processes.possible:
                self._place_loaded(checksum, content, name, directory.fd, path)
                return
        if self._pool is None:
            from ostree.system.workers import WorkerPool

            self._pool = WorkerPool(backlog=_BACKLOG)
        directory.missing += 1
        self._pool.submit(partial(self._copy_on_worker, directory, name, checksum, path))
        self._pool.collect()

    def _hand_out_large(self, directory: _Open, name: str, checksum: Checksum) -> bool:
        """Have another process that has nothing to do copy a file, if there is one."""
        entries = [(name, checksum)]
        settle = partial(self._settle, directory, entries)
        directory.missing += 1
        if self._processes.hand_out(_pack_task(directory, entries), settle, large=True):
            return True
        directory.missing -= 1
        return False

    def _copy_on_worker(
        self, directory: _Open, name: str, checksum: Checksum, path: str
    ) -> Callable[[], None]:
        with self._load(checksum, name) as content:
            self._place_loaded(checksum, content, name, directory.fd, path)
        return partial(self._one_less, directory)

    def _place(self, checksum: Checksum, name: str, dir_fd: int, path: str) -> None:
        """Put one file, which a policy knows as ``path``, into a directory."""
        if self._options.passthrough_whiteouts and whiteouts.is_overlay_whiteout(name):
            with self._load(checksum, name) as content:
                if not content.header.is_symlink:
                    self._devices.place(content.header, whiteouts.overlay_name(name), dir_fd)
                    return
        if not self._linker.link(checksum, name, dir_fd):
            with self._load(checksum, name) as content:
                self._place_loaded(checksum, content, name, dir_fd, path)

    def _load(self, checksum: Checksum, name: str) -> LoadedContent:
        try:
            return self._repo.load_content(checksum)
        except OSTreeError as error:
            error.hint = error.hint or f"while checking out {name}"
            raise

    def _place_loaded(
        self, checksum: Checksum, content: LoadedContent, name: str, dir_fd: int, path: str
    ) -> None:
        if self._cache is not None and is_cached(content):
            self._cache.add(checksum, content)
            try:
                if self._linker.link(checksum, name, dir_fd):
                    return
            except OSTreeError as error:
                error.add_prefix(f"Using new cached uncompressed hardlink of {checksum} to {name}")
                raise
            with self._load(checksum, name) as again:
                self._copier.place(checksum, again, name, dir_fd, path)
        else:
            self._copier.place(checksum, content, name, dir_fd, path)

    def _report(self, *, final: bool = False) -> None:
        if self._emit is not None and (final or self._done >= self._next_report):
            self._next_report = self._done + _REPORT_EVERY
            total = self._done if final else self._total
            self._emit(StepProgress("checkout", self._done, total))


def _pack_task(directory: _Open, entries: Entries) -> bytes:
    """What another process needs for putting files into an open directory."""
    digests = bytes.fromhex("".join(checksum for _, checksum in entries))
    names = "\0".join((directory.path, *(name for name, _ in entries)))
    return b"".join((_TASK_START.pack(directory.fd, len(entries)), digests, names.encode()))


@contextmanager
def _unpack_task(task: bytes) -> Iterator[tuple[_Open, Entries]]:
    """The same in that process, whose parent has the directory open."""
    theirs, count = _TASK_START.unpack_from(task)
    start = _TASK_START.size
    end = start + 32 * count
    digests = [task[at : at + 32] for at in range(start, end, 32)]
    path, *names = task[end:].decode().split("\0")
    # Through the parent, so that nobody can put another directory into its place.
    fd = files.open_directory(f"/proc/{os.getppid()}/fd/{theirs}")
    try:
        entries = list(zip(names, map(Checksum.of_digest, digests), strict=True))
        yield _Open(fd, _NO_META, None, path, created=True), entries
    finally:
        os.close(fd)


def _open_directory(name: str, dir_fd: int | None, *, follow: bool) -> int:
    """Open a directory of the destination; below its top, links are not followed."""
    try:
        return os.open(
            name, files.DIRECTORY_FLAGS | (0 if follow else os.O_NOFOLLOW), dir_fd=dir_fd
        )
    except OSError as error:
        raise RepoError(files.describe(f"opendir({name})", error)) from error


def _remove_other(name: str, dir_fd: int) -> bool:
    """Remove what has the name of a directory and is none; False if it is one."""
    if stat.S_ISDIR(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode):
        return False
    os.unlink(name, dir_fd=dir_fd)
    return True


def _clear_directories(dir_fd: int, entries: Entries) -> None:
    """Remove directories where a layer has a file or link: it replaces what is below it."""
    for name, _ in entries:
        try:
            info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(info.st_mode):
            files.remove_tree(name, dir_fd)
