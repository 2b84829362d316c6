"""Committing a directory: walk, hash, store, all at once (repository format §6.1).

The owner's thread walks the tree and puts directories together; a pool hashes and stores files in
batches.  An object that exists is never written again.  What is held in memory is the names and
checksums of directories that are not complete yet, and at most a few small files per thread.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time

from ostree.errors import OSTreeError, RepoError
from ostree.formats import dirmeta, dirtree
from ostree.formats.file_header import content_prefix
from ostree.formats.filename import encode_filename
from ostree.store.content import SMALL, checksum_descriptor
from ostree.system import files, xattr
from ostree.system.workers import WorkerPool
from ostree.types import Checksum, DirMeta, FileHeader, ObjectType, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.events import Listener
    from ostree.repo.modifier import Modifier
    from ostree.repo.transaction import Transaction
    from ostree.store.store import LooseStore

#: Files handed to a thread at a time: enough to make the hand-over cheap.
_BATCH = 48
_BACKLOG = 64
#: A file changed within this many nanoseconds may change again without a new time stamp.
_RACY = 2_000_000_000
_OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class _Directory:
    """A directory whose entries are not all stored yet."""

    __slots__ = ("dirmeta", "dirs", "files", "missing", "name", "parent", "path")

    def __init__(self, name: str, path: str, parent: _Directory | None) -> None:
        self.name = name
        self.path = path
        self.parent = parent
        self.files: list[tuple[bytes, bytes]] = []
        self.dirs: list[tuple[bytes, bytes, bytes]] = []
        self.missing = 1  # the scan itself; then batches and subdirectories
        self.dirmeta = b""


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
        self._done = 0

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
        except OSError as error:
            raise RepoError(files.describe(f"Reading /{directory.path}", error)) from error
        finally:
            os.close(fd)
        for at in range(0, len(names), _BATCH):
            directory.missing += 1
            pool.submit(_Batch(self, directory, names[at : at + _BATCH]).run)
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
        meta = DirMeta(uid, gid, mode, () if modifier.no_xattrs else xattr.read_fd(fd))
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

    def finish_batch(
        self, directory: _Directory, entries: list[tuple[bytes, bytes]], written: int, size: int
    ) -> None:
        """Take over the results of a batch (owner's thread)."""
        directory.files.extend(entries)
        self._transaction.count_content(written, size, len(entries))
        self._done += len(entries)
        if self._on_event is not None:
            from ostree.events import StepProgress

            self._on_event(StepProgress("commit", self._done, None))
        self._one_less(directory)

    # what batches use ---------------------------------------------------------------------------

    @property
    def store(self) -> LooseStore:
        """Where objects go."""
        return self._store

    @property
    def modifier(self) -> Modifier:
        """What changes about the files."""
        return self._modifier

    def charge(self, size: int) -> None:
        """Account for the space of a new object."""
        self._transaction.charge(size)

    def open_directory(self, directory: _Directory) -> int:
        """A descriptor of a directory being committed."""
        return self._open(directory)


class _Batch:
    """Some files of one directory, hashed and stored on a worker's thread."""

    __slots__ = ("_directory", "_entries", "_names", "_owner", "_prefixes", "_size", "_written")

    def __init__(self, owner: DirectoryImport, directory: _Directory, names: list[str]) -> None:
        self._owner = owner
        self._directory = directory
        self._names = names
        self._entries: list[tuple[bytes, bytes]] = []
        self._prefixes: dict[tuple[int, int, int], bytes] = {}
        self._written = 0
        self._size = 0

    def run(self) -> Callable[[], None]:
        """Store the files; the returned call reports them to the owner."""
        dir_fd = self._owner.open_directory(self._directory)
        name = ""
        try:
            for name in self._names:
                self._entries.append((encode_filename(name), self._store_one(name, dir_fd)))
        except OSError as error:
            raise self._explained(name, error) from error
        except OSTreeError as error:
            error.hint = error.hint or f"while committing /{self._path_of(name)}"
            raise
        finally:
            os.close(dir_fd)
        return lambda: self._owner.finish_batch(
            self._directory, self._entries, self._written, self._size
        )

    def _path_of(self, name: str) -> str:
        path = f"{self._directory.path}/{name}" if self._directory.path else name
        return os.fsencode(path).decode("utf-8", "replace")

    def _explained(self, name: str, error: OSError) -> OSTreeError:
        from ostree.repo.transaction import write_error

        # Errors of reading carry the name; those of writing come without one, or a temporary one.
        if error.filename == name:
            hint = f"while committing /{self._path_of(name)}"
            return RepoError(files.describe(f"openat({name})", error), hint=hint)
        return write_error(f"Writing content object for /{self._path_of(name)}", error)

    def _store_one(self, name: str, dir_fd: int) -> bytes:
        try:
            fd = os.open(name, _OPEN_FILE, dir_fd=dir_fd)
        except OSError:
            info = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
            if not stat.S_ISLNK(info.st_mode):
                raise
            return self._store_link(name, dir_fd, info)
        try:
            info = os.fstat(fd)
            mode = info.st_mode
            if not stat.S_ISREG(mode):
                raise RepoError(f"Not a regular file or symlink: {name}")
            modifier = self._owner.modifier
            attributes = () if modifier.no_xattrs else xattr.read_fd(fd)
            owner = modifier.apply(info.st_uid, info.st_gid, mode)
            header = FileHeader(*owner, "", attributes)
            if info.st_size > SMALL:
                return self._store_large(fd, header, info)
            data = files.read_all(fd, info.st_size)
        finally:
            os.close(fd)
        if attributes:
            prefix = content_prefix(header)
        else:
            prefix = self._prefixes.get(owner) or b""
            if not prefix:
                prefix = self._prefixes[owner] = content_prefix(header)
        digest = hashlib.sha256(prefix)
        digest.update(data)
        return self._put_small(digest.digest(), header, data)

    def _put_small(self, digest: bytes, header: FileHeader, data: bytes) -> bytes:
        store = self._owner.store
        checksum = Checksum.of_digest(digest)
        if not store.has(checksum, ObjectType.FILE):
            self._owner.charge(len(data))
            if self._put(store, checksum, header, data):
                self._written += 1
                self._size += len(data)
        return digest

    def _put(self, store: LooseStore, checksum: Checksum, header: FileHeader, data: bytes) -> bool:
        try:
            return store.put_bytes(checksum, header, data)
        except OSTreeError as error:
            error.add_prefix("Writing content object")
            raise

    def _store_link(self, name: str, dir_fd: int, info: os.stat_result) -> bytes:
        modifier = self._owner.modifier
        raw = os.fsencode(os.readlink(name, dir_fd=dir_fd))
        try:
            target = raw.decode()
        except UnicodeDecodeError as error:
            shown = raw.decode("utf-8", "replace")
            raise RepoError(f"Invalid UTF-8 in symlink target {shown}") from error
        attributes = () if modifier.no_xattrs else xattr.read_at(dir_fd, name)
        header = modifier.header(info.st_uid, info.st_gid, info.st_mode, target, attributes)
        return self._put_small(hashlib.sha256(content_prefix(header)).digest(), header, b"")

    def _store_large(self, fd: int, header: FileHeader, info: os.stat_result) -> bytes:
        """Hash first, so that an object that exists costs no write; then copy inside the kernel."""
        store = self._owner.store
        started = time.time_ns()
        size = info.st_size
        checksum = checksum_descriptor(header, fd, size)
        if store.has(checksum, ObjectType.FILE):
            return checksum.digest
        self._owner.charge(size)
        try:
            with store.begin(header, size) as writer:
                copied = writer.fill(fd, size, header)
                if copied is None and self._may_have_changed(fd, info, started):
                    copied = writer.checksum_again(header, size)
                if copied not in (None, checksum):
                    raise RepoError("File changed while it was committed")
                written = writer.finish(checksum)
        except OSTreeError as error:
            error.add_prefix("Writing content object")
            raise
        self._written += written
        self._size += size if written else 0
        return checksum.digest

    @staticmethod
    def _may_have_changed(fd: int, before: os.stat_result, started: int) -> bool:
        """Whether the file can be another than the one hashed before it was copied.

        Time stamps are coarse: those of a file touched just now tell nothing.
        """
        after = os.fstat(fd)
        same = (after.st_size, after.st_mtime_ns, after.st_ctime_ns) == (
            before.st_size,
            before.st_mtime_ns,
            before.st_ctime_ns,
        )
        return not same or before.st_ctime_ns + _RACY >= started
