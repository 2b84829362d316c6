"""Committing a directory: walk, hash, store, all at once (repository format §6.1).

The owner's thread walks the tree, puts directories together and stores the files that no worker
process has room for.  Where there can be no processes (ADR 32) it stores small files, and a pool of
threads the others.  (Small files on several threads are slower: each system call gives the
interpreter's lock away, and getting it back costs more than the call.)  An object that exists is
never written again.  What is held in memory is the names and checksums of directories that are not
complete yet, and one file of limited size per thread.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from struct import Struct

from ostree.errors import OSTreeError, RepoError
from ostree.formats import dirmeta
from ostree.formats.filename import encode_filename
from ostree.repo.file_import import FileImport, OpenedFile, StoredFile
from ostree.system import files, xattr
from ostree.system.worker_processes import LARGE_FILE, one_by_one
from ostree.system.workers import WorkerPool
from ostree.types import Checksum, DirMeta, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.events import Listener
    from ostree.repo.consume import ConsumedTree
    from ostree.repo.devino import KnownInodes
    from ostree.repo.modifier import Modifier
    from ostree.repo.mutable_tree import MutableTree
    from ostree.repo.repository import Repo
    from ostree.repo.stat_cache import DirectoryFacts, StatCache
    from ostree.repo.tree_writer import TreeWriter

#: Files open for the threads at a time, and files for another process.
_BACKLOG, _TASK = 32, 16
#: What another process tells of a file: digest, size, what became of it.
_STORED = Struct("=32sQB")


class ImportOptions:
    """How a directory is committed.

    Attributes:
        modifier: Changes of owner, mode and attributes.
        consume: Whether what is committed is removed when the transaction is published.
        known: Hard links to objects, which need not be read; None to read everything.
        trusts_links: Whether the modifier leaves those alone.
        final: Whether the tree is not changed any more afterwards, so that what is complete can
            be written and forgotten.
        stat_cache: Whether files that did not change since they were committed are not read.
        prefix: Where in the tree the directory lands, for rules by path: empty or ``/usr/share``.
    """

    __slots__ = (
        "consume",
        "final",
        "known",
        "modifier",
        "prefix",
        "stat_cache",
        "trusts_links",
    )

    def __init__(
        self,
        modifier: Modifier,
        *,
        consume: bool = False,
        known: KnownInodes | None = None,
        trusts_links: bool = False,
        final: bool = False,
        prefix: str = "",
        stat_cache: bool = False,
    ) -> None:
        self.modifier = modifier
        self.stat_cache = stat_cache
        self.prefix = prefix
        self.consume = consume
        self.known = known
        self.trusts_links = trusts_links
        self.final = final


class Directory:
    """A directory whose entries are not all stored yet.

    Attributes:
        name: Its name, empty for the root.
        path: Its path within the tree without a slash in front, empty for the root.
        parent: The directory that it is in.
        node: Where its entries go.
        missing: How much of it is on its way: the scan itself, files, subdirectories.
        facts: What the stat cache says of its files; None if it is not to be asked.
    """

    __slots__ = ("facts", "missing", "name", "node", "parent", "path")

    def __init__(self, name: str, path: str, parent: Directory | None) -> None:
        self.name = name
        self.path = path
        self.parent = parent
        self.node: MutableTree | None = None
        self.missing = 1
        self.facts: DirectoryFacts | None = None

    def path_of(self, name: str) -> str:
        """The path of an entry within the tree, as it stands on the disk."""
        return f"{self.path}/{name}" if self.path else name

    def shown(self, name: str) -> str:
        """The same for messages, with a slash in front."""
        return "/" + os.fsencode(self.path_of(name)).decode("utf-8", "replace")


class DirectoryImport:
    """One run over one directory tree."""

    def __init__(
        self,
        repo: Repo,
        transaction: TreeWriter,
        options: ImportOptions,
        on_event: Listener | None,
    ) -> None:
        self._repo = repo
        self._transaction = transaction
        self._options = options
        self._modifier = options.modifier
        self._on_event = on_event
        self._dirmetas: dict[DirMeta, Checksum] = {}
        self._to_scan: list[Directory] = []
        self._root_fd = -1
        self._limit = repo.store.properties.inline_limit
        self._consumed: ConsumedTree | None = None
        self._cache: StatCache | None = None
        self._import = FileImport(repo, transaction.charge, options)
        self._pool = WorkerPool(backlog=_BACKLOG)
        self._processes = transaction.processes(one_by_one(self._work))
        # What takes note of what it was asked about has to be asked here.
        takes_note = options.modifier.by_path or options.stat_cache
        self._hands_out = not (takes_note or options.consume)

    def run(self, path: str, target: MutableTree) -> None:
        """Store what is in the directory, and enter it in the target."""
        try:
            flags = files.DIRECTORY_FLAGS | (0 if path.endswith("/") else os.O_NOFOLLOW)
            self._root_fd = os.open(path, flags)
        except OSError as error:
            raise RepoError(files.describe(f"opendir({path})", error)) from error
        try:
            if self._options.consume:
                from ostree.repo.consume import ConsumedTree

                self._consumed = ConsumedTree(path, self._root_fd)
            if self._options.stat_cache:
                from ostree.repo.stat_cache import StatCache

                with StatCache(self._repo) as self._cache:
                    self._walk(target)
                    self._cache.save()
            else:
                self._walk(target)
        finally:
            os.close(self._root_fd)
        if self._consumed is not None:
            self._transaction.when_published(self._consumed.remove)

    def _walk(self, target: MutableTree) -> None:
        root = Directory("", "", None)
        root.node = target
        self._to_scan.append(root)
        with self._processes, self._pool as pool:
            while self._to_scan:
                self._scan(self._to_scan.pop())
                pool.collect()
            self._processes.drain()
            pool.drain()
        self._report()

    # the owner's thread -------------------------------------------------------------------------

    def _scan(self, directory: Directory) -> None:
        """Read one directory: queue its files, remember its subdirectories."""
        fd = self._open(directory)
        try:
            if self._enter(directory, fd):
                names: list[str] = []
                with os.scandir(fd) as entries:
                    for entry in entries:
                        name = entry.name
                        if entry.is_dir(follow_symlinks=False):
                            directory.missing += 1
                            path = directory.path_of(name)
                            self._to_scan.append(Directory(name, path, directory))
                        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                            names.append(name)
                        else:
                            raise _special(directory, name)
                self._share_files(directory, names, fd)
        except OSError as error:
            raise RepoError(files.describe(f"Reading /{directory.path}", error)) from error
        finally:
            os.close(fd)
        self._report()
        self._one_less(directory)

    def _open(self, directory: Directory) -> int:
        try:
            if not directory.path:
                return os.dup(self._root_fd)
            return files.open_beneath(self._root_fd, directory.path)
        except OSError as error:
            text = files.describe(f"opendir({directory.name or '.'})", error)
            raise RepoError(text, hint=f"while committing /{directory.path}") from error

    def _enter(self, directory: Directory, fd: int) -> bool:
        """Put the directory itself into the tree, with its metadata; False if it is left out."""
        meta = self._metadata(directory, fd)
        parent = directory.parent
        if meta is None:
            if self._consumed is not None and parent is not None:
                self._consumed.add(parent.path, [directory.name])
            return False
        if directory.node is None and parent is not None and parent.node is not None:
            directory.node = parent.node.put_directory(encode_filename(directory.name))
        if directory.node is not None:
            directory.node.dirmeta = self._store_dirmeta(meta)
        return True

    def _metadata(self, directory: Directory, fd: int) -> DirMeta | None:
        modifier = self._modifier
        info = os.fstat(fd)
        attributes = () if modifier.drops_xattrs else xattr.read_fd(fd)
        if modifier.by_path:
            path = (self._options.prefix + directory.shown("")).rstrip("/") or "/"
            return modifier.walked_dirmeta_at(
                path, info.st_uid, info.st_gid, info.st_mode, attributes
            )
        return DirMeta(*modifier.apply(info.st_uid, info.st_gid, info.st_mode), attributes)

    def _store_dirmeta(self, meta: DirMeta) -> Checksum:
        known = self._dirmetas.get(meta)
        if known is None:
            known = self._transaction.write_metadata(ObjectType.DIRMETA, dirmeta.encode(meta))
            self._dirmetas[meta] = known
        else:
            self._transaction.stats.metadata_total += 1
        return known

    def _one_less(self, directory: Directory | None) -> None:
        """Something of a directory is done; write what is complete with that, if nothing follows."""
        final = self._options.final
        while directory is not None:
            directory.missing -= 1
            if directory.missing:
                return
            if self._cache is not None and directory.facts is not None:
                self._cache.finish(directory.facts)
                directory.facts = None
            node = directory.node
            if final and node is not None and node.dirmeta is not None:
                node.write(self._transaction)
                node.forget(self._repo)
            directory = directory.parent

    # files ------------------------------------------------------------------------------------

    def _share_files(self, directory: Directory, names: list[str], fd: int) -> None:
        """Store files of a directory, here what no other process has room for."""
        if directory.node is None:
            return
        if self._cache is not None:
            directory.facts = self._cache.directory(fd)
        processes = self._processes
        shares = self._hands_out and processes.possible
        for at in range(0, len(names), _TASK):
            batch = names[at : at + _TASK]
            if shares:
                directory.missing += 1
                task = b"\0".join(map(os.fsencode, (directory.path, *batch)))
                if processes.hand_out(task, partial(self._settle, directory, batch)):
                    continue
                directory.missing -= 1
            self._take_files(directory, batch, fd)
        if self._consumed is not None:
            self._consumed.add(directory.path, names)

    def _take_files(
        self, directory: Directory, names: list[str], fd: int, *, alone: bool = False
    ) -> None:
        """Store small files at once; the others are for another process, or for threads.

        With ``alone`` all are stored here, unless there are threads.
        """
        shares = self._hands_out and self._processes.possible
        limit = self._limit if not shares else sys.maxsize if alone else LARGE_FILE
        take, node = self._import.take, directory.node
        if node is None:
            return
        count, put = self._transaction.count_stored, node.put_file
        name = ""
        try:
            for name in names:
                raw_name = encode_filename(name)
                taken = take(name, fd, directory, limit)
                if isinstance(taken, StoredFile):
                    put(raw_name, taken.digest)
                    count(taken)
                elif taken is not None:
                    directory.missing += 1
                    self._share_opened(directory, name, taken)
        except OSError as error:
            raise _explained(directory, name, error) from error
        except OSTreeError as error:
            error.hint = error.hint or f"while committing {directory.shown(name)}"
            raise

    def _share_opened(self, directory: Directory, name: str, opened: OpenedFile) -> None:
        """Store a file by another process that has nothing to do, here, or on a thread."""
        if self._hands_out and self._processes.possible:
            task = b"\0".join(map(os.fsencode, (directory.path, name)))
            settle = partial(self._settle, directory, [name])
            if self._processes.hand_out(task, settle, large=True):
                opened.close()
                return
            if self._processes.possible:
                self._store_opened(directory, name, opened)()
                return
        self._pool.submit(partial(self._store_opened, directory, name, opened))

    def _work(self, task: bytes) -> bytes:
        """In another process: store files of a directory, and tell of those that are done."""
        path, *names = map(os.fsdecode, task.split(b"\0"))
        directory = Directory("", path, None)
        told = []
        with suppress(OSTreeError, OSError):  # met again where they can be told
            fd = self._open(directory)
            try:
                for name in names:
                    encode_filename(name)
                    stored = self._import.take(name, fd, directory, sys.maxsize)
                    if not isinstance(stored, StoredFile):
                        break
                    told.append(_STORED.pack(stored.digest, stored.size, stored.outcome))
            finally:
                os.close(fd)
        return b"".join(told)

    def _settle(self, directory: Directory, names: list[str], reply: bytes | None) -> None:
        """Enter what another process has stored, and do what it could not."""
        node, count, done = directory.node, self._transaction.count_stored, 0
        for digest, size, outcome in _STORED.iter_unpack(reply or b""):
            if node is not None:
                node.put_file(encode_filename(names[done]), digest)
            count(StoredFile(digest, size, outcome))
            done += 1
        if done < len(names):
            fd = self._open(directory)
            try:
                self._take_files(directory, names[done:], fd, alone=True)
            finally:
                os.close(fd)
        self._one_less(directory)

    def _store_opened(
        self, directory: Directory, name: str, opened: OpenedFile
    ) -> Callable[[], None]:
        """Store one file on a worker's thread; the returned call reports it to the owner."""
        try:
            stored = self._import.store_opened(opened)
        except OSError as error:
            raise _explained(directory, name, error) from error
        except OSTreeError as error:
            error.hint = error.hint or f"while committing {directory.shown(name)}"
            raise
        return partial(self._finish_file, directory, name, opened, stored)

    def _finish_file(
        self, directory: Directory, name: str, opened: OpenedFile, stored: StoredFile
    ) -> None:
        if directory.facts is not None:
            directory.facts.add(opened.info, opened.header, stored.digest)
        if directory.node is not None:
            directory.node.put_file(encode_filename(name), stored.digest)
        self._transaction.count_stored(stored)
        self._one_less(directory)

    def _report(self) -> None:
        if self._on_event is not None:
            from ostree.events import StepProgress

            stats = self._transaction.stats
            written = stats.content_bytes_written
            self._on_event(StepProgress("commit", stats.content_total, None, written))


def _special(directory: Directory, name: str) -> RepoError:
    return RepoError(
        f"Not a regular file or symlink: {os.fsencode(name).decode(errors='replace')}",
        hint=f"in /{directory.path}: devices, pipes and sockets cannot be committed",
    )


def _explained(directory: Directory, name: str, error: OSError) -> OSTreeError:
    from ostree.repo.object_errors import write_error

    # Errors of reading carry the name; those of writing come without one, or a temporary one.
    shown = directory.shown(name)
    if error.filename == name:
        text = files.describe(f"openat({name})", error)
        return RepoError(text, hint=f"while committing {shown}")
    return write_error(f"Writing content object for {shown}", error)
