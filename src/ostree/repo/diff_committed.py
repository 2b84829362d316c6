"""A committed tree as one side of a comparison."""

from __future__ import annotations

from ostree.repo.diff import EntryInfo, TreeEntry
from ostree.types import TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.types import Checksum


class CommittedEntry(TreeEntry):
    """A file or link, by its checksum."""

    __slots__ = ("_checksum", "_parent")

    def __init__(
        self,
        parent: CommittedDirectory | None,
        name: str,
        checksum: Checksum,
        *,
        is_directory: bool = False,
    ) -> None:
        super().__init__(name, is_directory=is_directory)
        self._parent = parent
        self._checksum = checksum

    @property
    def path(self) -> str:
        """Absolute within the commit."""
        if self._parent is None:
            return "/"
        return f"{self._parent.path.rstrip('/')}/{self.name}"

    @property
    def contents(self) -> Checksum | None:
        """A file has none."""
        return None

    def checksum(self) -> Checksum:
        """Known from the directory it is in."""
        return self._checksum

    def info(self) -> EntryInfo:
        """From the header of the object."""
        assert self._parent is not None  # a root is a directory
        header, size = self._parent.repo.load_file_header(self._checksum)
        return EntryInfo(header.mode, header.uid, header.gid, size, header.target)


class CommittedDirectory(CommittedEntry):
    """A directory, by the checksums of its dirtree and its dirmeta."""

    __slots__ = ("_dirtree", "repo")

    def __init__(
        self, repo: Repo, tree: TreeId, parent: CommittedDirectory | None = None, name: str = ""
    ) -> None:
        super().__init__(parent, name, tree.dirmeta, is_directory=True)
        self.repo = repo
        self._dirtree = tree.dirtree

    @property
    def contents(self) -> Checksum | None:
        """The dirtree."""
        return self._dirtree

    def children(self) -> list[CommittedEntry]:
        """What the dirtree has."""
        entries = self.repo.load_dirtree(self._dirtree)
        children = [CommittedEntry(self, name, checksum) for name, checksum in entries.files]
        children += [
            CommittedDirectory(self.repo, TreeId(dirtree, dirmeta), self, name)
            for name, dirtree, dirmeta in entries.dirs
        ]
        return children

    def info(self) -> EntryInfo:
        """From the dirmeta."""
        meta = self.repo.load_dirmeta(self._checksum)
        return EntryInfo(meta.mode, meta.uid, meta.gid)
