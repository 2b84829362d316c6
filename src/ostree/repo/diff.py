"""What differs between two trees (repository format §7.9).

The comparison knows nothing of disks or repositories: it is given the two roots as
:class:`TreeEntry`, whose subclasses read committed trees (:mod:`ostree.repo.diff_committed`) and
local directories (:mod:`ostree.repo.diff_local`).
"""

from __future__ import annotations

from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.types import Checksum

    Pair = tuple["TreeEntry | None", "TreeEntry | None"]


class ChangeKind(Enum):
    """What happened to a path; the value is the letter that the command prints."""

    MODIFIED = "M"
    DELETED = "D"
    ADDED = "A"


class EntryInfo:
    """What is known about an entry besides its checksum.

    Attributes:
        mode: With type bits.
        uid: The owner.
        gid: The group.
        size: Bytes of content; 0 for all but regular files.
        target: Where a symbolic link leads, otherwise empty.
    """

    __slots__ = ("gid", "mode", "size", "target", "uid")

    def __init__(self, mode: int, uid: int, gid: int, size: int = 0, target: str = "") -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
        self.target = target


class TreeEntry:
    """A file, link or directory in one of the two trees.

    Attributes:
        name: Its last component; empty for the root.
        is_directory: Whether it is a directory.
    """

    __slots__ = ("is_directory", "name")

    def __init__(self, name: str, *, is_directory: bool) -> None:
        self.name = name
        self.is_directory = is_directory

    @property
    def path(self) -> str:
        """Where it lies: absolute in a commit, relative to the given directory on the disk."""
        raise NotImplementedError

    @property
    def contents(self) -> Checksum | None:
        """What names all that is in a directory, if that is known without reading it."""
        raise NotImplementedError

    def checksum(self) -> Checksum:
        """The checksum of a file or link; of a directory, that of its own metadata."""
        raise NotImplementedError

    def children(self) -> Sequence[TreeEntry]:
        """What is in a directory: files by name, then directories by name."""
        raise NotImplementedError

    def info(self) -> EntryInfo:
        """Mode, owner and size."""
        raise NotImplementedError


class Change:
    """One path that differs.

    Attributes:
        kind: What happened to it.
        old: What was there; None if it was added.
        new: What is there; None if it was deleted.
    """

    __slots__ = ("kind", "new", "old")

    def __init__(self, kind: ChangeKind, old: TreeEntry | None, new: TreeEntry | None) -> None:
        self.kind = kind
        self.old = old
        self.new = new

    @property
    def path(self) -> str:
        """The path, as the old tree has it if it was there."""
        entry = self.old or self.new
        assert entry is not None  # there is no change between nothing and nothing
        return entry.path

    def __repr__(self) -> str:
        return f"Change({self.kind.value} {self.path})"


def compare(old: TreeEntry, new: TreeEntry, *, everything: bool = False) -> Iterator[Change]:
    """The differences between what is in two directories, as they are found.

    Directories whose contents are known to be the same are not opened.  The metadata of the two
    roots does not count.

    Args:
        old: A directory.
        new: A directory.
        everything: Name also what was in a deleted directory, and what is below a path that was a
            directory on one side and a file on the other; without it only that path is named.
    """
    stack = [_pairs(old, new)]
    while stack:
        pair = next(stack[-1], None)
        if pair is None:
            stack.pop()
            continue
        kind = _kind(*pair)
        if kind is not None:
            yield Change(kind, *pair)
        below = _below(*pair, everything=everything)
        if below is not None:
            stack.append(below)


def _pairs(old: TreeEntry | None, new: TreeEntry | None) -> Iterator[Pair]:
    """What has the same name in two directories: first all of the old one's, then the rest."""
    new_children = new.children() if new is not None else ()
    left = {child.name: child for child in new_children}
    for child in old.children() if old is not None else ():
        yield child, left.pop(child.name, None)
    for child in new_children:
        if child.name in left:
            yield None, child


def _kind(old: TreeEntry | None, new: TreeEntry | None) -> ChangeKind | None:
    if old is None:
        return ChangeKind.ADDED
    if new is None:
        return ChangeKind.DELETED
    if old.is_directory is new.is_directory and old.checksum() == new.checksum():
        return None
    return ChangeKind.MODIFIED


def _below(
    old: TreeEntry | None, new: TreeEntry | None, *, everything: bool
) -> Iterator[Pair] | None:
    """The pairs below a pair, if there are directories to look into."""
    old_directory = old if old is not None and old.is_directory else None
    new_directory = new if new is not None and new.is_directory else None
    if old_directory is not None and new_directory is not None:
        known = old_directory.contents
        if known is not None and known == new_directory.contents:
            return None
    elif not everything and old is not None:
        return None  # deleted, or of another type now
    if old_directory is None and new_directory is None:
        return None
    return _pairs(old_directory, new_directory)
