"""Committing a directory: walk, hash, store, all at once (repository format §6.1).

The owner's thread walks the tree, stores small files and puts directories together; a pool hashes
and stores the others.  (Small files on several threads are slower: each system call gives the
interpreter's lock away, and getting it back costs more than the call.)  An object that exists is
never written again.  What is held in memory is the names and checksums of directories that are not
complete yet, and one file of limited size per thread.
"""

from __future__ import annotations

import os
from functools import partial

from ostree.errors import OSTreeError, RepoError
from ostree.formats import dirmeta, dirtree
from ostree.formats.filename import encode_filename
from ostree.repo.file_import import FileImport, OpenedFile, StoredFile
from ostree.system import files, xattr
from ostree.system.workers import WorkerPool
from ostree.types import Checksum, DirMeta, ObjectType, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.events import Listener
    from ostree.repo.modifier import Modifier
    from ostree.repo.transaction import Transaction
    from ostree.store.store import LooseStore

#: Files open for the threads at a time.
_BACKLOG = 32


class _Directory:
    """A directory whose entries are not all stored yet."""

    __slots__ = ("dirmeta", "dirs", "files", "missing", "name", "parent", "path")

    def __init__(self, name: str, path: str, parent: _Directory | None) -> None:
        self.name = name
        self.path = path
        self.parent = parent
        self.files: list[tuple[bytes, bytes]] = []
        self.dirs: list[tuple[bytes, bytes, bytes]] = []
        self.missing = 1  # the scan itself; then files on their way and subdirectories
        self.dirmeta = b""

    def path_of(self, name: str) -> str:
        """The path of an entry within the tree, for messages."""
        path = f"{self.path}/{name}" if self.path else name
        return os.fsencode(path).decode("utf-8", "replace")


class DirectoryImport:
    """One run over one directory tree."""

    def __init__(
        self,
        store: LooseStore,
        transaction: Transaction,
        modifier: Modifier,
        on_event: Listener | None,
    ) -> None:
        self._store = store
        self._transaction = transaction
        self._modifier = modifier
        self._on_event = on_event
        self._dirmetas: dict[DirMeta, Checksum] = {}
        self._to_scan: list[_Directory] = []
        self._root_fd = -1
        self._result: TreeId | None = None
        self._import = FileImport(store, transaction.charge, modifier)

    def run(self, path: str) -> TreeId:
        """Store the tree; its root."""
        try:
            flags = files.DIRECTORY_FLAGS | (0 if path.endswith("/") else os.O_NOFOLLOW)
            self._root_fd = os.open(path, flags)
        except OSError as error:
            raise RepoError(files.describe(f"opendir({path})", error)) from error
        try:
            with WorkerPool(backlog=_BACKLOG) as pool:
                self._to_scan.append(_Directory("", "", None))
                while self._to_scan:
                    self._scan(self._to_scan.pop(), pool)
                    pool.collect()
                pool.drain()
        finally:
            os.close(self._root_fd)
        if self._result is None:
            raise RepoError("Can't commit an empty tree")
        return self._result

    # the owner's thread -------------------------------------------------------------------------

    def _scan(self, directory: _Directory, pool: WorkerPool) -> None:
        """Read one directory: queue its files, remember its subdirectories."""
        fd = self._open(directory)
        try:
            info = os.fstat(fd)
            directory.dirmeta = self._store_dirmeta(info, fd)
            names: list[str] = []
            with os.scandir(fd) as entries:
                for entry in entries:
                    name = entry.name
                    if entry.is_dir(follow_symlinks=False):
                        path = f"{directory.path}/{name}" if directory.path else name
                        directory.missing += 1
                        self._to_scan.append(_Directory(name, path, directory))
                    elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                        names.append(name)
                    else:
                        raise RepoError(
                            f"Not a regular file or symlink: {os.fsencode(name).decode(errors='replace')}",
                            hint=f"in /{directory.path}: devices, pipes and sockets "
                            "cannot be committed",
                        )
            self._take_files(directory, names, fd, pool)
        except OSError as error:
            raise RepoError(files.describe(f"Reading /{directory.path}", error)) from error
        finally:
            os.close(fd)
        self._report()
        self._one_less(directory)

    def _open(self, directory: _Directory) -> int:
        try:
            if not directory.path:
                return os.dup(self._root_fd)
            return files.open_beneath(self._root_fd, directory.path)
        except OSError as error:
            text = files.describe(f"opendir({directory.name or '.'})", error)
            raise RepoError(text, hint=f"while committing /{directory.path}") from error

    def _store_dirmeta(self, info: os.stat_result, fd: int) -> bytes:
        modifier = self._modifier
        uid, gid, mode = modifier.apply(info.st_uid, info.st_gid, info.st_mode)
        meta = DirMeta(uid, gid, mode, () if modifier.drops_xattrs else xattr.read_fd(fd))
        known = self._dirmetas.get(meta)
        if known is None:
            known = self._transaction.write_metadata(ObjectType.DIRMETA, dirmeta.encode(meta))
            self._dirmetas[meta] = known
        else:
            self._transaction.stats.metadata_total += 1
        return known.digest

    def _one_less(self, directory: _Directory | None) -> None:
        """Something of a directory is done; finish what is complete with that."""
        while directory is not None:
            directory.missing -= 1
            if directory.missing:
                return
            data = dirtree.encode_raw(directory.files, directory.dirs)
            tree = self._transaction.write_metadata(ObjectType.DIRTREE, data)
            parent = directory.parent
            if parent is None:
                self._result = TreeId(tree, Checksum.of_digest(directory.dirmeta))
                return
            name = encode_filename(directory.name)
            parent.dirs.append((name, tree.digest, directory.dirmeta))
            directory = parent

    # files ------------------------------------------------------------------------------------

    def _take_files(
        self, directory: _Directory, names: list[str], fd: int, pool: WorkerPool
    ) -> None:
        """Store small files at once, and queue those that are worth a thread."""
        limit = self._store.properties.inline_limit
        take, stats = self._import.take, self._transaction.stats
        name = ""
        try:
            for name in names:
                raw_name = encode_filename(name)
                taken = take(name, fd, limit=limit)
                if isinstance(taken, StoredFile):
                    directory.files.append((raw_name, taken.digest))
                    stats.content_total += 1
                    if taken.new:
                        stats.content_written += 1
                        stats.content_bytes_written += taken.size
                else:
                    directory.missing += 1
                    pool.submit(partial(self._store_opened, directory, name, taken))
        except OSError as error:
            raise _explained(directory, name, error) from error
        except OSTreeError as error:
            error.hint = error.hint or f"while committing /{directory.path_of(name)}"
            raise

    def _store_opened(
        self, directory: _Directory, name: str, opened: OpenedFile
    ) -> Callable[[], None]:
        """Store one file on a worker's thread; the returned call reports it to the owner."""
        try:
            stored = self._import.store_opened(opened)
        except OSError as error:
            raise _explained(directory, name, error) from error
        except OSTreeError as error:
            error.hint = error.hint or f"while committing /{directory.path_of(name)}"
            raise
        return partial(self._finish_file, directory, name, stored)

    def _finish_file(self, directory: _Directory, name: str, stored: StoredFile) -> None:
        directory.files.append((encode_filename(name), stored.digest))
        self._transaction.count_content(stored.new, stored.size)
        self._one_less(directory)

    def _report(self) -> None:
        if self._on_event is not None:
            from ostree.events import StepProgress

            done = self._transaction.stats.content_total
            self._on_event(StepProgress("commit", done, None))


def _explained(directory: _Directory, name: str, error: OSError) -> OSTreeError:
    from ostree.repo.transaction import write_error

    # Errors of reading carry the name; those of writing come without one, or a temporary one.
    path = directory.path_of(name)
    if error.filename == name:
        text = files.describe(f"openat({name})", error)
        return RepoError(text, hint=f"while committing /{path}")
    return write_error(f"Writing content object for /{path}", error)
