"""What a pull needs next: facts go in, steps come out; no disk and no network.

The engine asks :attr:`Planner.metadata` and :attr:`Planner.content` what to get, gets it, and tells
the planner what a commit or a directory holds; that makes new steps.  Directories are asked for
once, files are looked up once.  See remotes and pull §4.2, §4.3 and §4.7.
"""

from __future__ import annotations

from collections import deque

from ostree.errors import OSTreeError
from ostree.formats import dirtree
from ostree.repo.digest_set import DigestSet
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ostree.formats.commit import Commit
    from ostree.formats.dirtree import DirTree, KnownEntries

_ALL_PARENTS = 1 << 62


class Facts:
    """What the planner has to know about the destination."""

    __slots__ = ()

    def has(self, checksum: Checksum, type: ObjectType) -> bool:
        """Whether the object is there."""
        raise NotImplementedError

    def is_complete(self, commit: Checksum) -> bool:
        """Whether a commit is there with everything it needs."""
        raise NotImplementedError

    def root(self, commit: Checksum) -> Checksum:
        """The root dirtree of a commit that is there."""
        raise NotImplementedError

    def tree(self, dirtree: Checksum) -> bytes:
        """A directory that is there: the object."""
        raise NotImplementedError

    def changes(self, dirtree: Checksum) -> DirTree | None:
        """The entries of a directory that have to be followed, if it was looked at before."""
        del dirtree
        return None

    def base(self, dirtree: Checksum | None) -> Base | None:
        """What to compare a directory with, which may resemble a complete one that is there."""
        raise NotImplementedError

    def check_tree(self, dirtree: Checksum, data: bytes) -> None:
        """Look at a directory that is going to be asked for.

        Raises:
            FormatError: if it is none.
        """
        raise NotImplementedError

    def read_ahead(self, root: Checksum) -> None:
        """There is time to look at a tree that is complete and going to be compared with."""


class Base:
    """What a directory that comes is compared with.

    Attributes:
        known: Entries of complete directories.
        below: The dirtrees of the directory that it may resemble, by name.
    """

    __slots__ = ("below", "known")

    def __init__(self, known: KnownEntries, below: Mapping[str, Checksum]) -> None:
        self.known = known
        self.below = below


class Step:
    """A commit, dirtree or dirmeta that is needed.

    Attributes:
        present: It is there already and only has to be read.
    """

    __slots__ = ("checksum", "present", "type")

    def __init__(self, type: ObjectType, checksum: Checksum, *, present: bool) -> None:
        self.type = type
        self.checksum = checksum
        self.present = present

    def __repr__(self) -> str:
        verb = "read" if self.present else "get"
        return f"<{verb} {self.checksum}.{self.type.extension}>"


class CommitStep(Step):
    """A commit.

    Attributes:
        refs: Names of the refs through which it was requested; bindings are checked for these.
        depth: How many generations of its parents are wanted.
        optional: A parent: the source need not have it.
        complete: Present with everything it needs; only its detached metadata is refreshed.
        max_size: Largest acceptable object in bytes, if known.
        base: Dirtree of a complete commit that probably resembles it.
        parent: Its parent, once it has arrived.
        arrived: Whether the planner has been told what it holds.
        detached: Its detached metadata, while that waits for the commit.
    """

    __slots__ = (
        "arrived",
        "base",
        "complete",
        "depth",
        "detached",
        "max_size",
        "optional",
        "parent",
        "refs",
    )

    def __init__(
        self, checksum: Checksum, depth: int, *, present: bool, complete: bool, optional: bool
    ) -> None:
        super().__init__(ObjectType.COMMIT, checksum, present=present)
        self.depth = depth
        self.complete = complete
        self.optional = optional
        self.refs: list[str] = []
        self.max_size: int | None = None
        self.base: Checksum | None = None
        self.parent: Checksum | None = None
        self.arrived = False
        self.detached: bytes | None = None


class TreeStep(Step):
    """A dirtree at an absolute path of the tree; ``base`` is a complete one it may resemble."""

    __slots__ = ("base", "path")

    def __init__(
        self, checksum: Checksum, path: str, base: Checksum | None, *, present: bool
    ) -> None:
        super().__init__(ObjectType.DIRTREE, checksum, present=present)
        self.path = path
        self.base = base


class Planner:
    """The state of one pull.

    Args:
        facts: Answers about the destination.
        depth: Generations of parents of each requested commit; -1 for all.
        commit_metadata_only: No trees.
        subpaths: Absolute paths; only what is at, above or below one of them is wanted.

    Attributes:
        facts: As given.
        metadata: Steps to take, oldest first; the engine takes them off.
        content: Checksums of files to get, oldest first; the engine takes them off.
        commits: Every commit asked for so far, parents included.
        requested_metadata: Number of metadata objects to get, as far as known.
        requested_content: The same of content objects.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        depth: int = 0,
        commit_metadata_only: bool = False,
        subpaths: Sequence[str] = (),
    ) -> None:
        self.facts = facts
        self._depth = depth if depth >= 0 else _ALL_PARENTS
        self._commit_only = commit_metadata_only
        self._subpaths = [_subpath(path) for path in subpaths]
        self._seen: set[str] = set()
        self._seen_content = DigestSet()
        self._outstanding = 0
        self.commits: dict[Checksum, CommitStep] = {}
        self.metadata: deque[Step] = deque()
        self.content: deque[Checksum] = deque()
        self.requested_metadata = 0
        self.requested_content = 0

    @property
    def scanning(self) -> bool:
        """Whether further objects may still turn out to be needed."""
        return self._outstanding > 0

    # what to get ------------------------------------------------------------------------------

    def request(
        self,
        commit: Checksum,
        *,
        ref: str | None = None,
        max_size: int | None = None,
        base: Checksum | None = None,
    ) -> None:
        """Ask for a commit; all requests come before the first step is taken.

        Args:
            commit: Its checksum.
            ref: The ref that points to it, if that is why it is wanted.
            max_size: Largest acceptable commit object in bytes.
            base: Dirtree of a complete commit that probably shares much with it.
        """
        step = self._want_commit(commit, self._depth, optional=False)
        if ref is not None and ref not in step.refs:
            step.refs.append(ref)
        if max_size is not None:
            step.max_size = max_size
        if base is not None:
            step.base = base

    def _want_commit(self, commit: Checksum, depth: int, *, optional: bool) -> CommitStep:
        step = self.commits.get(commit)
        if step is None:
            present = self.facts.has(commit, ObjectType.COMMIT)
            complete = present and self.facts.is_complete(commit)
            step = CommitStep(commit, depth, present=present, complete=complete, optional=optional)
            self.commits[commit] = step
            self._add(step)
        elif depth > step.depth:
            step.depth = depth
            if step.arrived:
                self._want_parent(step)
        return step

    def _want_parent(self, step: CommitStep) -> None:
        if step.depth > 0 and step.parent is not None:
            self._want_commit(step.parent, step.depth - 1, optional=True)

    def _want_tree(self, dirtree: Checksum, path: str, base: Checksum | None) -> None:
        key = f"{dirtree}{path}" if self._subpaths else dirtree
        if dirtree == base or key in self._seen:
            return
        self._seen.add(key)
        present = self.facts.has(dirtree, ObjectType.DIRTREE)
        self._add(TreeStep(dirtree, path, base, present=present))

    def _want_dirmeta(self, dirmeta: Checksum) -> None:
        if dirmeta not in self._seen:
            self._seen.add(dirmeta)
            if not self.facts.has(dirmeta, ObjectType.DIRMETA):
                self._add(Step(ObjectType.DIRMETA, dirmeta, present=False))

    def _add(self, step: Step) -> None:
        self._outstanding += 1
        if not step.present:
            self.requested_metadata += 1
        self.metadata.append(step)

    # what has come ----------------------------------------------------------------------------

    def commit_arrived(self, step: CommitStep, commit: Commit) -> None:
        """A commit is stored, and this is what it holds."""
        self._outstanding -= 1
        step.arrived = True
        step.parent = commit.parent
        self._want_parent(step)
        if not self._commit_only and not step.complete:
            self._want_dirmeta(commit.root.dirmeta)
            self._want_tree(commit.root.dirtree, "/", step.base or self._root_of(commit.parent))

    def _root_of(self, parent: Checksum | None) -> Checksum | None:
        """What a commit probably resembles, if its parent is here with everything it needs."""
        facts = self.facts
        if parent is None or not facts.has(parent, ObjectType.COMMIT):
            return None
        return facts.root(parent) if facts.is_complete(parent) else None

    def commit_missing(self, step: CommitStep) -> None:
        """The source does not have an optional commit."""
        self._outstanding -= 1
        self.requested_metadata -= 1
        del self.commits[step.checksum]

    def tree_arrived(self, step: TreeStep, data: bytes) -> None:
        """A directory is there, or is going to be stored: this is the object.

        Raises:
            FormatError: if it is none.
        """
        base = self.facts.base(step.base)
        tree = dirtree.decode(data) if base is None else dirtree.decode_changes(data, base.known)
        self._follow(step, tree, base)

    def tree_known(self, step: TreeStep) -> bool:
        """A directory is there; False, and nothing done, if it has to be looked at."""
        tree = self.facts.changes(step.checksum)
        if tree is None:
            return False
        self._follow(step, tree, self.facts.base(step.base))
        return True

    def _follow(self, step: TreeStep, tree: DirTree, base: Base | None) -> None:
        """Want what a directory has."""
        self._outstanding -= 1
        parent = step.path.rstrip("/")
        files, dirs = tree.files, tree.dirs
        if self._subpaths:
            files = [entry for entry in files if self._follows_file(f"{parent}/{entry[0]}")]
            dirs = [entry for entry in dirs if self._follows_directory(f"{parent}/{entry[0]}")]
        self._want_files(files)
        for name, subtree, dirmeta in dirs:
            self._want_dirmeta(dirmeta)
            resembled = None if base is None else base.below.get(name)
            self._want_tree(subtree, f"{parent}/{name}", resembled)

    def _want_files(self, files: list[tuple[str, Checksum]]) -> None:
        is_new = self._seen_content.add
        has, wanted, kind = self.facts.has, self.content, ObjectType.FILE
        for _, checksum in files:
            if is_new(checksum) and not has(checksum, kind):
                wanted.append(checksum)
                self.requested_content += 1

    def note_present(self, files: Iterable[Checksum]) -> None:
        """These files are in the destination, and need not be looked up."""
        self._seen_content.update(files)

    def dirmeta_arrived(self) -> None:
        """A dirmeta is stored."""
        self._outstanding -= 1

    # parts of a tree --------------------------------------------------------------------------

    def _follows_file(self, path: str) -> bool:
        """Whether a file is at or below a wanted path."""
        return any(f"{path}/".startswith(wanted) for wanted in self._subpaths)

    def _follows_directory(self, path: str) -> bool:
        """Whether a directory is at, below or above a wanted path."""
        here = f"{path}/"
        return any(here.startswith(wanted) or wanted.startswith(here) for wanted in self._subpaths)


def _subpath(path: str) -> str:
    """A wanted path, with exactly one slash at its end."""
    if not path.startswith("/"):
        raise OSTreeError(f"Invalid subpath '{path}': it must start with '/'")
    return path.rstrip("/") + "/"
