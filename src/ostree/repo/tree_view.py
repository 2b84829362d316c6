"""Committed trees as read-only mappings, read where somebody looks and nowhere else."""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping

from ostree.errors import PathNotFoundError, RepoError
from ostree.repo import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from _typeshed import WriteableBuffer

    from ostree.repo.repository import Repo
    from ostree.store.content import LoadedContent
    from ostree.types import Checksum, DirMeta, FileHeader, TreeId, Xattrs

#: Symbolic links followed on the way to one path, at most; as the kernel has it.
_MAX_LINKS = 40
#: Of streams, in bytes.
_BUFFER = 256 << 10


class Tree(Mapping[str, "Tree"]):
    """A directory, regular file or symbolic link of a commit.

    A directory is a mapping from names to what they stand for, files first, each kind sorted by the
    bytes of the names; a key may be a path: ``tree["usr/bin/sh"]``.  Symbolic links are not
    followed, except by :meth:`resolve`.  Nothing is read before it is asked for, and what was
    read is kept as long as the object.

    Two of them are equal if owner, mode, attributes and content are, for directories with all that
    is below; where they are does not count.  All are true, empty directories too.

    It works while the repository that it came from is open.
    """

    __slots__ = ("_entry", "_meta", "_names", "_repo", "_root", "_size")

    def __init__(self, repo: Repo, entry: tree.Entry, root: TreeId) -> None:
        """Made by :meth:`ostree.Repo.tree`."""
        self._repo = repo
        self._entry = entry
        self._root = root
        self._meta: DirMeta | FileHeader | None = None
        self._size = 0
        self._names: dict[str, tree.Entry] | None = None

    # what it is -------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """Its absolute path within the commit; ``/`` for the root."""
        return self._entry.path

    @property
    def name(self) -> str:
        """The last component of the path; empty for the root."""
        return self._entry.name

    @property
    def checksum(self) -> Checksum | None:
        """The name of the file object of a file or link; None for a directory."""
        return self._entry.checksum

    @property
    def tree_id(self) -> TreeId | None:
        """The checksums of a directory; None for a file or link."""
        return self._entry.tree

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self._entry.tree is not None

    @property
    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.mode)

    @property
    def mode(self) -> int:
        """Type and permission bits, as in ``st_mode``."""
        return self._metadata().mode

    @property
    def uid(self) -> int:
        """The owner's number."""
        return self._metadata().uid

    @property
    def gid(self) -> int:
        """The group's number."""
        return self._metadata().gid

    @property
    def xattrs(self) -> Xattrs:
        """Extended attributes: (name, value), sorted by name."""
        return self._metadata().xattrs

    @property
    def size(self) -> int:
        """Bytes of content; 0 for links and directories."""
        self._metadata()
        return self._size

    @property
    def target(self) -> str:
        """Where a symbolic link leads, as it is written there; empty for everything else."""
        meta = self._metadata()
        return getattr(meta, "target", "")

    def _metadata(self) -> DirMeta | FileHeader:
        if self._meta is None:
            if self._entry.checksum is not None:
                self._meta, self._size = self._repo.load_file_header(self._entry.checksum)
            else:
                self._meta = self._repo.load_dirmeta(self._directory().dirmeta)
        return self._meta

    # a directory ------------------------------------------------------------------------------

    def __getitem__(self, path: str) -> Tree:
        """What is at a path below a directory.

        A leading slash changes nothing; ``.`` and ``..`` are names that nothing has.

        Raises:
            PathNotFoundError: ``No such file or directory: /PATH``, ``Not a directory: /PATH``;
                it is a :class:`KeyError` too.
            OSTreeError: if an object on the way is missing or damaged.
        """
        found = self
        for name in _components(path):
            found = found._child(name)
        return found

    def _child(self, name: str) -> Tree:
        entry = self._children().get(name)
        if entry is None:
            where = self.path.rstrip("/")
            raise PathNotFoundError(f"No such file or directory: {where}/{name}")
        return Tree(self._repo, entry, self._root)

    def _children(self) -> dict[str, tree.Entry]:
        if self._names is None:
            self._directory()
            self._names = {entry.name: entry for entry in tree.children(self._repo, self._entry)}
        return self._names

    def _directory(self) -> TreeId:
        if self._entry.tree is None:
            raise PathNotFoundError(f"Not a directory: {self.path}")
        return self._entry.tree

    def __iter__(self) -> Iterator[str]:
        """The names in a directory."""
        return iter(self._children())

    def __len__(self) -> int:
        """How many entries a directory has."""
        return len(self._children())

    def __bool__(self) -> bool:
        return True

    def walk(self) -> Iterator[Tree]:
        """Everything below a directory: its files, then each subdirectory and what is in it.

        Directories are read one by one on the way and not kept.

        Raises:
            PathNotFoundError: if it is no directory.
            OSTreeError: if an object is missing or damaged.
        """
        self._directory()
        for entry in tree.walk(self._repo, self._entry):
            yield Tree(self._repo, entry, self._root)

    def resolve(self, path: str = "") -> Tree:
        """What a path leads to when symbolic links are followed, as if the commit were ``/``.

        Args:
            path: Below this directory, or absolute; without one, what this link leads to.

        Raises:
            PathNotFoundError: as for ``tree[path]``.
            RepoError: ``Too many levels of symbolic links: …``.
        """
        absolute = path if path.startswith("/") else f"{self.path}/{path}"
        return _follow(root_view(self._repo, self._root), absolute)

    # a file -----------------------------------------------------------------------------------

    def open(self) -> BinaryIO:
        """The content of a regular file as a stream, buffered, not seekable; to be closed.

        Content is inflated while it is read, and is not compared with its checksum.

        Raises:
            RepoError: ``Is a directory: …``, ``Is a symbolic link: …``.
            CorruptionError: if the object is damaged; also from the stream's methods.
        """
        return io.BufferedReader(_ContentStream(self._content()), _BUFFER)

    def read_bytes(self) -> bytes:
        """The content of a regular file; errors as :meth:`open`."""
        with self._content() as content:
            return b"".join(iter(content.read, b""))

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The content of a regular file as text; line ends stay what they are.

        Raises:
            UnicodeDecodeError: if it is none in that encoding.
            OSTreeError: as :meth:`open`.
        """
        return self.read_bytes().decode(encoding, errors)

    def _content(self) -> LoadedContent:
        if self._entry.checksum is None:
            raise RepoError(f"Is a directory: {self.path}")
        content = self._repo.load_content(self._entry.checksum)
        if content.header.is_symlink:
            content.close()
            raise RepoError(
                f"Is a symbolic link: {self.path}", hint="resolve() gives what it leads to"
            )
        return content

    # identity ---------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return NotImplemented
        mine, theirs = self._entry, other._entry
        return mine.checksum == theirs.checksum and mine.tree == theirs.tree

    def __hash__(self) -> int:
        return hash((self._entry.checksum, self._entry.tree))

    def __repr__(self) -> str:
        return f"<Tree {self.path!r}>"


class _ContentStream(io.RawIOBase):
    """The content of a file object as Python's input streams have it."""

    def __init__(self, content: LoadedContent) -> None:
        self._loaded = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        chunk = self._loaded.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._loaded.close()
        super().close()


def root_view(repo: Repo, root: TreeId) -> Tree:
    """The root directory of a commit."""
    return Tree(repo, tree.Entry("/", tree=root), root)


def _components(path: str) -> list[str]:
    if not isinstance(path, str):
        raise TypeError(f"a path within a tree is a str, not {type(path).__name__}")
    return [name for name in path.split("/") if name]


def _follow(root: Tree, path: str) -> Tree:
    """What an absolute path leads to."""
    waiting = _components(path)[::-1]
    above: list[Tree] = []
    here = root
    links = 0
    while waiting:
        name = waiting.pop()
        if name == ".":
            continue
        if name == "..":
            here = above.pop() if above else root
            continue
        child = here._child(name)  # noqa: SLF001 - of the same class
        if not child.is_symlink:
            above.append(here)
            here = child
            continue
        links += 1
        if links > _MAX_LINKS:
            raise RepoError(f"Too many levels of symbolic links: {path.rstrip('/')}")
        waiting += reversed(_components(child.target))
        if child.target.startswith("/"):
            above, here = [], root
    return here
