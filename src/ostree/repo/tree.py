"""Walking and looking up in committed trees."""

from __future__ import annotations

from ostree.errors import NotFoundError, OSTreeError
from ostree.types import Checksum, ObjectType, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.repo.repository import Repo

#: Links followed in one look-up, at most.
_MAX_LINKS = 40


class NotDirectoryError(NotFoundError):
    """A path leads through something that is no directory."""


class Entry:
    """A file, symbolic link or directory of a committed tree.

    Attributes:
        path: Absolute within the tree, ``/`` for the root.
        checksum: The file's checksum; None for a directory.
        tree: Dirtree and dirmeta; None for a file or link.
    """

    __slots__ = ("checksum", "path", "tree")

    def __init__(
        self, path: str, *, checksum: Checksum | None = None, tree: TreeId | None = None
    ) -> None:
        self.path = path
        self.checksum = checksum
        self.tree = tree

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rpartition("/")[2]


def children(repo: Repo, directory: Entry) -> Iterator[Entry]:
    """The entries of a directory: files by name, then directories by name.

    Raises:
        NotDirectoryError: if it is not a directory.
    """
    if directory.tree is None:
        raise NotDirectoryError("Not a directory")
    base = directory.path.rstrip("/")
    contents = repo.load_dirtree(directory.tree.dirtree)
    for name, checksum in contents.files:
        yield Entry(f"{base}/{name}", checksum=checksum)
    for name, dirtree, dirmeta in contents.dirs:
        yield Entry(f"{base}/{name}", tree=TreeId(dirtree, dirmeta))


def walk(repo: Repo, directory: Entry) -> Iterator[Entry]:
    """Everything below a directory: its files, then each subdirectory and what is in it."""
    stack = [children(repo, directory)]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            continue
        yield entry
        if entry.tree is not None:
            stack.append(children(repo, entry))


def count_files(repo: Repo, root: TreeId) -> int:
    """How many files and links are below a directory; each dirtree is read once.

    Raises:
        OSTreeError: if a dirtree is missing or damaged.
    """
    from ostree.formats.dirtree import decode_references

    counts: dict[bytes, int] = {}
    opened: dict[bytes, tuple[int, list[bytes]]] = {}
    stack = [root.dirtree.digest]
    while stack:
        digest = stack[-1]
        if digest not in opened:
            data = repo.load_metadata(digest.hex(), ObjectType.DIRTREE)
            files, directories = decode_references(data)
            below = [dirtree for dirtree, _ in directories]
            opened[digest] = (len(files), below)
            stack += [dirtree for dirtree in below if dirtree not in opened]
            continue
        stack.pop()
        if digest not in counts:
            own, below = opened[digest]
            # One that contains itself, as no honest one can, counts nothing there.
            counts[digest] = own + sum(counts.get(dirtree, 0) for dirtree in below)
    return counts[root.dirtree.digest]


def lookup(repo: Repo, root: TreeId, path: str, *, follow: bool = False) -> Entry:
    """The entry at a path; ``follow`` resolves a link in the last component within the tree.

    Raises:
        NotFoundError: ``No such file or directory: /PATH``, naming what is missing on the way.
        NotDirectoryError: ``Not a directory``.
    """
    for _ in range(_MAX_LINKS):
        entry = _lookup(repo, root, path)
        if not follow or entry.checksum is None:
            return entry
        header, _size = repo.load_file_header(entry.checksum)
        if not header.is_symlink:
            return entry
        path = resolve_link(entry.path, header.target)
    raise OSTreeError(f"Too many levels of symbolic links: {path}")


def resolve_link(link: str, target: str) -> str:
    """Where a link at an absolute path leads, as an absolute path without ``..``."""
    import posixpath

    base = posixpath.dirname(link)
    return posixpath.normpath("/" + posixpath.join(base, target).lstrip("/"))


def _lookup(repo: Repo, root: TreeId, path: str) -> Entry:
    entry = Entry("/", tree=root)
    if path == "/":
        return entry
    parts = path.removeprefix("/").split("/")
    for index, part in enumerate(parts):
        if entry.tree is None:
            raise NotDirectoryError("Not a directory")
        found = next((child for child in children(repo, entry) if child.name == part), None)
        if found is None or not part:
            reached = "/".join(parts[: index + 1])
            raise NotFoundError(f"No such file or directory: /{reached}")
        entry = found
    return entry
