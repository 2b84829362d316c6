"""A directory tree in memory, to be changed and written (repository format §6.1).

It may start from a committed tree, which is read where somebody looks and nowhere else: a
subdirectory that is not touched keeps its checksums and is not even opened.
"""

from __future__ import annotations

from ostree.errors import NotFoundError, RepoError
from ostree.formats import dirtree
from ostree.formats.filename import check_filename, encode_filename
from ostree.types import Checksum, ObjectType, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostree.formats.dirtree import DirTree
    from ostree.repo.repository import Repo
    from ostree.repo.tree_writer import TreeWriter

    #: Reads a committed directory.
    Load = Callable[[str], DirTree]


class MutableTree:
    """One directory: files by name, subdirectories by name, and its metadata's checksum.

    Attributes:
        dirmeta: The checksum of its metadata; None until somebody sets it.
        written: Whether it has just been written, which goes for what it is in, too, even if the
            result is what was there: so upstream counts objects.
    """

    __slots__ = (
        "_committed",
        "_dirs",
        "_files",
        "_listed",
        "_load",
        "_stale",
        "dirmeta",
        "written",
    )

    def __init__(self) -> None:
        self.dirmeta: Checksum | None = None
        self.written = False
        self._files: dict[bytes, bytes] = {}
        self._dirs: dict[bytes, MutableTree] = {}
        #: The dirtree that it was read from, or is still to be read from if ``_load`` is set.
        self._committed: Checksum | None = None
        self._load: Load | None = None
        #: Whether the committed dirtree is no longer what it contains.
        self._stale = True
        #: What the committed dirtree says of its subdirectories.
        self._listed: dict[bytes, TreeId] = {}

    @classmethod
    def of_tree(cls, repo: Repo, tree: TreeId) -> MutableTree:
        """A committed directory, read from the repository when it is looked at."""
        return _unread(repo.load_dirtree, tree)

    # looking ----------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether it has no entries."""
        self._expand()
        return not self._files and not self._dirs

    @property
    def is_expanded(self) -> bool:
        """Whether its entries are in memory."""
        return self._load is None

    def file(self, name: str) -> Checksum | None:
        """The checksum of the file of that name."""
        self._expand()
        digest = self._files.get(encode_filename(name))
        return None if digest is None else Checksum.of_digest(digest)

    def directory(self, name: str) -> MutableTree | None:
        """The subdirectory of that name."""
        self._expand()
        return self._dirs.get(encode_filename(name))

    def files(self) -> Iterator[tuple[str, Checksum]]:
        """Names and checksums of the files, sorted."""
        self._expand()
        for name, digest in sorted(self._files.items()):
            yield name.decode(), Checksum.of_digest(digest)

    def directories(self) -> Iterator[tuple[str, MutableTree]]:
        """Names and subdirectories, sorted."""
        self._expand()
        for name in sorted(self._dirs):
            yield name.decode(), self._dirs[name]

    def walk(self, path: str) -> MutableTree:
        """The directory at a path below this one; ``a/b``, or empty for this one itself.

        Raises:
            NotFoundError: ``No such file or directory: NAME``.
        """
        here = self
        for name in path.split("/"):
            if name:
                found = here.directory(name)
                if found is None:
                    raise NotFoundError(f"No such file or directory: {name}")
                here = found
        return here

    # changing ---------------------------------------------------------------------------------

    def replace_file(self, name: str, checksum: Checksum) -> None:
        """Add a file or symbolic link, in place of a file of that name.

        Raises:
            RepoError: ``Can't replace directory with file: NAME``.
            FormatError: if the name cannot be that of an entry.
        """
        check_filename(name)
        self.put_file(encode_filename(name), checksum.digest)

    def put_file(self, name: bytes, digest: bytes) -> None:
        """The same with bytes: the name of a real directory entry, and the 32 bytes."""
        if self._load is not None:
            self._expand()
        if name in self._dirs:
            raise RepoError(f"Can't replace directory with file: {name.decode()}")
        self._files[name] = digest
        self._stale = True

    def ensure_directory(self, name: str) -> MutableTree:
        """The subdirectory of that name, a new one without metadata if there is none.

        Raises:
            RepoError: ``Can't replace file with directory: NAME``.
            FormatError: if the name cannot be that of an entry.
        """
        check_filename(name)
        return self.put_directory(encode_filename(name))

    def put_directory(self, name: bytes) -> MutableTree:
        """The same with the bytes of the name of a real directory entry."""
        if self._load is not None:
            self._expand()
        found = self._dirs.get(name)
        if found is None:
            if name in self._files:
                raise RepoError(f"Can't replace file with directory: {name.decode()}")
            found = self._dirs[name] = MutableTree()
            self._stale = True
        return found

    def ensure_parents(self, path: str, dirmeta: Checksum) -> MutableTree:
        """The directory at a path, made on the way with that metadata where it is missing.

        Raises:
            RepoError: ``Can't replace file with directory: NAME``.
        """
        here = self
        for name in path.split("/"):
            if name:
                here = here.ensure_directory(name)
                if here.dirmeta is None:
                    here.dirmeta = dirmeta
        return here

    def remove(self, name: str) -> bool:
        """Take an entry out, a directory with all that is below it; whether there was one."""
        self._expand()
        raw = encode_filename(name)
        gone = self._files.pop(raw, None) is not None or self._dirs.pop(raw, None) is not None
        self._stale = self._stale or gone
        return gone

    def overlay(self, repo: Repo, tree: TreeId) -> int:
        """Lay a committed tree over this one: its files replace, its directories merge.

        Metadata of the upper directory counts.  What has no counterpart here is not read.

        Returns:
            How many files were entered one by one.

        Raises:
            RepoError: if a file and a directory of one name meet.
        """
        entered = 0
        waiting = [(self, tree)]
        while waiting:
            below, above = waiting.pop()
            contents = below.overlay_here(repo.load_dirtree, above)
            if contents is not None:
                entered += len(contents.files)
                for name, subtree, submeta in contents.dirs:
                    waiting.append((below.ensure_directory(name), TreeId(subtree, submeta)))
        return entered

    def overlay_here(self, load: Load, above: TreeId) -> DirTree | None:
        """One step of :meth:`overlay`: files and metadata of one directory.

        Returns:
            The upper directory, whose subdirectories are still to be laid over; None if they
            are here already.
        """
        if self._load is not None and self._committed == above.dirtree:
            self.dirmeta = above.dirmeta
            return None
        if self.is_empty:
            self.refer_to(load, above)
            return None
        self.dirmeta = above.dirmeta
        contents = load(above.dirtree)
        for name, checksum in contents.files:
            self.replace_file(name, checksum)
        return contents

    def refer_to(self, load: Load, tree: TreeId) -> None:
        """Become a committed tree that is not read yet, and forget what is in memory."""
        self.dirmeta = tree.dirmeta
        self._committed = tree.dirtree
        self._load = load
        self._stale = False
        self._files = {}
        self._dirs = {}

    def _expand(self) -> None:
        """Read the entries, if they are still in the repository."""
        load, committed = self._load, self._committed
        if load is None or committed is None:
            return
        contents = load(committed)
        self._files = {encode_filename(name): csum.digest for name, csum in contents.files}
        self._listed = {
            encode_filename(name): TreeId(subtree, submeta)
            for name, subtree, submeta in contents.dirs
        }
        self._dirs = {name: _unread(load, tree) for name, tree in self._listed.items()}
        self._load = None

    # writing ----------------------------------------------------------------------------------

    def write(self, transaction: TreeWriter) -> TreeId:
        """Store what changed, deepest first; the tree can be changed and written again.

        Raises:
            RepoError: ``Can't commit an empty tree`` if a directory has no metadata.
        """
        in_memory = [self]
        for node in in_memory:  # grows meanwhile: parents stand before their children
            in_memory += node.expanded_directories()
        for node in reversed(in_memory):
            node.write_entries(transaction)
        for node in in_memory[1:]:
            node.written = False
        return self.tree_id

    def forget(self, repo: Repo) -> None:
        """Keep of what was written only the checksums; it is read again if somebody looks."""
        self.refer_to(repo.load_dirtree, self.tree_id)

    def expanded_directories(self) -> list[MutableTree]:
        """Those of its subdirectories whose entries are in memory."""
        return [child for child in self._dirs.values() if child.is_expanded]

    def write_entries(self, transaction: TreeWriter) -> None:
        """One step of :meth:`write`: this directory, whose subdirectories are stored already."""
        listed = {name: child.tree_id for name, child in self._dirs.items()}
        below = any(child.written for child in self._dirs.values())
        if self._load is None and (self._stale or below or listed != self._listed):
            entries = [
                (name, tree.dirtree.digest, tree.dirmeta.digest) for name, tree in listed.items()
            ]
            data = dirtree.encode_raw(list(self._files.items()), entries)
            self._committed = transaction.write_metadata(ObjectType.DIRTREE, data)
            self._listed = listed
            self._stale = False
            self.written = True

    @property
    def tree_id(self) -> TreeId:
        """Its checksums as they were read or last written.

        Raises:
            RepoError: ``Can't commit an empty tree`` if it was neither, or has no metadata.
        """
        if self._committed is None or self.dirmeta is None:
            raise RepoError("Can't commit an empty tree")
        return TreeId(self._committed, self.dirmeta)


def _unread(load: Load, tree: TreeId) -> MutableTree:
    node = MutableTree()
    node.refer_to(load, tree)
    return node
