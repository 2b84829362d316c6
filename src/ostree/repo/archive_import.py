"""Committing an archive: each entry is stored as it streams by (repository format §6.5).

What is held in memory is the tree of names and checksums, and one piece of the content of one file.
"""

from __future__ import annotations

import os
import stat

from ostree.errors import CorruptionError, FormatError, NotFoundError, OSTreeError, RepoError
from ostree.formats import dirmeta
from ostree.formats.filename import check_filename, decode_filename
from ostree.repo.archive_paths import relative_path, split_path
from ostree.store.content import CHUNK, LoadedContent
from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.types import DirMeta, ObjectType, canonical_xattrs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.archive_paths import PathnameFilter
    from ostree.repo.modifier import Modifier
    from ostree.repo.mutable_tree import MutableTree
    from ostree.repo.object_writer import ObjectWriter
    from ostree.repo.repository import Repo
    from ostree.system.archive import ArchiveEntry, ArchiveReader
    from ostree.types import Checksum, FileHeader, Xattrs

#: Negative numbers stand for what they are in 32 bits.
_IDS = range(-(1 << 31), 1 << 32)
#: The longest target that Linux lets a link have (PATH_MAX less the NUL), in bytes.
_MAX_TARGET = 4095
#: What parents are that nobody described.
_PARENT_MODE = stat.S_IFDIR | 0o755

_FILE = "ostree-tar: Failed to handle file: ostree-tar: Failed to import file"
_DIRECTORY = "ostree-tar: Failed to handle directory"


class _Link:
    """Another name for a file that may come later in the archive."""

    __slots__ = ("directory", "name", "target")

    def __init__(self, directory: MutableTree, name: str, target: str) -> None:
        self.directory = directory
        self.name = name
        self.target = target


class _EntryContent(LoadedContent):
    """The content of the archive's current entry, which has to be as long as it says."""

    __slots__ = ("_left", "_reader")

    def __init__(self, header: FileHeader, size: int, reader: ArchiveReader) -> None:
        super().__init__(header, size)
        self._reader = reader
        self._left = size

    def read(self, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes more; empty at the end."""
        # One more than there should be, so that too much is noticed.
        data = self._reader.read(min(size, CHUNK, self._left + 1))
        self._left -= len(data)
        if self._left < 0 or (self._left and not data):
            raise CorruptionError("Content is not as long as its header says")
        return data


class ArchiveImport:
    """Lays archives over a tree in memory.

    Args:
        repo: Where objects go.
        transaction: What objects are written through.
        root: The tree.
        modifier: What changes about files and directories, as the repository needs it.
        prefix: Where the tree is in the whole one, for rules by path: empty or ``/usr``.
        autocreate_parents: Whether to make parents that have no entry (0755, owned as what needs
            them), and the root.
        pathname_filter: Rewrites paths of entries and targets of hard links.
    """

    def __init__(
        self,
        repo: Repo,
        transaction: ObjectWriter,
        root: MutableTree,
        modifier: Modifier,
        *,
        prefix: str = "",
        autocreate_parents: bool = False,
        pathname_filter: PathnameFilter | None = None,
    ) -> None:
        self._repo = repo
        self._transaction = transaction
        self._root = root
        self._modifier = modifier
        self._prefix = prefix
        self._autocreate = autocreate_parents
        self._filter = pathname_filter
        self._links: dict[tuple[int, str], _Link] = {}

    def run(self, reader: ArchiveReader) -> None:
        """Take an archive from where it stands to its end.

        Raises:
            CorruptionError: if the archive is damaged.
            OSTreeError: if it has what cannot be committed.
        """
        while (entry := reader.next_entry()) is not None:
            self._take(entry, reader)
        self._resolve_links()
        if self._autocreate and self._root.dirmeta is None:
            meta = DirMeta(*self._modifier.apply(0, 0, _PARENT_MODE))
            self._root.dirmeta = self._store_dirmeta(meta)

    # entries ----------------------------------------------------------------------------------

    def _take(self, entry: ArchiveEntry, reader: ArchiveReader) -> None:
        entry.uid, entry.gid = _owner(entry, entry.uid), _owner(entry, entry.gid)
        if entry.hardlink is not None:
            self._take_link(entry, entry.hardlink, reader)
        elif stat.S_ISDIR(entry.mode):
            self._take_directory(entry)
        else:
            self._take_file(entry, reader)

    def _take_directory(self, entry: ArchiveEntry) -> None:
        names = self._names(entry.path, _DIRECTORY)
        xattrs = self._xattrs(entry)
        meta = self._modifier.dirmeta_at(
            self._tree_path(names), entry.uid, entry.gid, entry.mode, xattrs
        )
        if meta is None:
            return
        directory = self._root
        if names:
            directory = self._parent(names, entry).ensure_directory(names[-1])
        directory.dirmeta = self._store_dirmeta(meta)

    def _take_file(self, entry: ArchiveEntry, reader: ArchiveReader) -> None:
        path = self._path(entry.path, _FILE)
        names = split_path(path)
        header = self._header(entry, names)
        if header is None:
            return
        parent = self._parent(names, entry)
        if not header.is_symlink and not stat.S_ISREG(header.mode):
            raise FormatError(f'Unsupported file type for path "{path}"')
        name = _last(names)
        checksum = self._store(entry, header, reader)
        try:
            parent.replace_file(name, checksum)
        except OSTreeError as error:
            error.add_prefix(_FILE)
            raise

    def _take_link(self, entry: ArchiveEntry, target: bytes, reader: ArchiveReader) -> None:
        path = self._path(entry.path, _FILE)
        names = split_path(path)
        target_path = self._path(target, _FILE)
        is_itself = split_path(target_path) == names
        # In some cpio archives the last name of a file brings the content of all of them.
        brings_content = bool(entry.size) and not stat.S_ISLNK(entry.mode)
        # Without content it has no type of its own.
        entry.mode = stat.S_IMODE(entry.mode) | stat.S_IFREG
        header = self._header(entry, names)
        if header is None:
            return
        link = _Link(self._parent(names, entry), _last(names), target_path)
        if brings_content:
            self._put_at(target_path, self._store(entry, header, reader))
        key = (id(link.directory), link.name)
        if not (is_itself and key in self._links):
            self._links[key] = link

    def _put_at(self, path: str, checksum: Checksum) -> None:
        names = split_path(path)
        self._root.walk("/".join(names[:-1])).replace_file(_last(names), checksum)

    def _header(self, entry: ArchiveEntry, names: list[str]) -> FileHeader | None:
        """The header of a file as it is committed, None if it is left out."""
        target = ""
        if stat.S_ISLNK(entry.mode):
            target = _decode_target(entry.symlink or b"")
        return self._modifier.header_at(
            self._tree_path(names), entry.uid, entry.gid, entry.mode, target, self._xattrs(entry)
        )

    # paths and parents ------------------------------------------------------------------------

    def _path(self, stored: bytes, context: str) -> str:
        """The path of an entry or target in the tree, rewritten by the filter."""
        try:
            names = [decode_filename(name) for name in stored.split(b"/")]
        except FormatError as error:
            error.add_prefix(context)
            raise
        path = relative_path("/".join(names))
        return path if self._filter is None else self._filter(path)

    def _names(self, stored: bytes, context: str) -> list[str]:
        return split_path(self._path(stored, context))

    def _tree_path(self, names: list[str]) -> str:
        """An absolute path, as rules know it."""
        if not names:
            return self._prefix or "/"
        return f"{self._prefix}/{'/'.join(names)}"

    def _parent(self, names: list[str], entry: ArchiveEntry) -> MutableTree:
        """The directory that a path is in."""
        parents = names[:-1]
        try:
            return self._root.walk("/".join(parents))
        except NotFoundError:
            if not self._autocreate:
                raise
        # As upstream has it, all directories on the way get the new metadata, also those that had
        # some (ADR 13).
        meta = DirMeta(entry.uid, entry.gid, _PARENT_MODE)
        directory = self._root
        directory.dirmeta = self._store_dirmeta(meta)
        for name in parents:
            directory = directory.ensure_directory(name)
            directory.dirmeta = self._store_dirmeta(meta)
        return directory

    # hard links -------------------------------------------------------------------------------

    def _resolve_links(self) -> None:
        """Enter every hard link, those first that others lead to."""
        while self._links:
            first = next(iter(self._links))
            chain = {first: None}
            following = self._link_behind(first)
            while following is not None and following not in chain:  # a circle ends in an error
                chain[following] = None
                following = self._link_behind(following)
            for key in reversed(chain):
                self._resolve(self._links.pop(key))

    def _link_behind(self, key: tuple[int, str]) -> tuple[int, str] | None:
        """The link that the target of a link is, if it is one."""
        names = split_path(self._links[key].target)
        try:
            directory = self._root.walk("/".join(names[:-1]))
        except NotFoundError:
            return None
        behind = (id(directory), names[-1] if names else "")
        return behind if behind in self._links else None

    def _resolve(self, link: _Link) -> None:
        context = f"ostree-tar: Processing deferred hardlink {link.target}"
        try:
            checksum = self._find(link.target)
        except OSTreeError as error:
            error.add_prefix(f"{context}: Failed to find object")
            raise
        try:
            link.directory.replace_file(link.name, checksum)
        except OSTreeError as error:
            error.add_prefix(f"{context}: Failed to replace file")
            raise

    def _find(self, path: str) -> Checksum:
        names = split_path(path)
        directory = self._root.walk("/".join(names[:-1]))
        name = names[-1] if names else ""
        checksum = directory.file(name)
        if checksum is None:
            if not name or directory.directory(name) is not None:
                raise RepoError(f'Expected hardlink file target at "{path}" but found a directory')
            raise NotFoundError(f"No such file or directory: {name}")
        return checksum

    # objects ----------------------------------------------------------------------------------

    def _xattrs(self, entry: ArchiveEntry) -> Xattrs:
        """What is kept of the attributes."""
        if self._modifier.no_xattrs or not entry.xattrs:
            return ()
        # Archives of libarchive's have every attribute twice, in two spellings.
        return canonical_xattrs(list(dict(reversed(entry.xattrs)).items()))

    def _store_dirmeta(self, meta: DirMeta) -> Checksum:
        return self._transaction.write_metadata(ObjectType.DIRMETA, dirmeta.encode(meta))

    def _store(self, entry: ArchiveEntry, header: FileHeader, reader: ArchiveReader) -> Checksum:
        if header.is_symlink:
            content = LoadedContent(header, 0)
        elif entry.size is None:
            content = self._spooled(header, reader)
        else:
            content = _EntryContent(header, entry.size, reader)
        with content:
            return self._transaction.write_content(content)

    def _spooled(self, header: FileHeader, reader: ArchiveReader) -> LoadedContent:
        """Content of unknown length, read to its end into a file without a name."""
        size = 0
        with AnonymousFile(self._repo.store.target.temporary_fd) as file:
            while data := reader.read(CHUNK):
                self._transaction.charge(len(data))
                files.write_all(file.fd, data)
                size += len(data)
            fd = os.dup(file.fd)
        os.lseek(fd, 0, os.SEEK_SET)
        return LoadedContent(header, size, fd)


def _owner(entry: ArchiveEntry, number: int) -> int:
    """A user or group as a file can have it.

    Raises:
        FormatError: if it is none; cut to 32 bits, it might be root.
    """
    if number not in _IDS:
        shown = entry.path.decode("utf-8", "replace")
        raise FormatError(f'Invalid owner or group {number} of "{shown}"')
    return number & 0xFFFFFFFF


def _last(names: list[str]) -> str:
    """The name of a file, which the root of the archive has not.

    Raises:
        FormatError: ``Invalid empty filename``.
    """
    name = names[-1] if names else ""
    try:
        check_filename(name)
    except FormatError as error:
        error.add_prefix(_FILE)
        raise
    return name


def _decode_target(raw: bytes) -> str:
    try:
        target = raw.decode()
    except UnicodeDecodeError as error:
        shown = raw.decode("utf-8", "replace")
        raise FormatError(f"Invalid UTF-8 in symlink target {shown}") from error
    if not 0 < len(raw) <= _MAX_TARGET:
        raise FormatError(f"Invalid symlink target of {len(raw)} bytes")
    return target
