"""Which objects commits need (repository format §8.1)."""

from __future__ import annotations

from ostree.errors import CorruptionError, FormatError, ObjectNotFoundError
from ostree.events import StepProgress
from ostree.formats.dirtree import decode_references
from ostree.repo.digest_bag import DigestBag
from ostree.types import Checksum, ObjectName, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostree.errors import OSTreeError
    from ostree.events import Listener
    from ostree.repo.objects import ObjectSource
    from ostree.repo.repository import Repo
    from ostree.types import TreeId

    #: What to do about a directory that cannot be read: return, or raise.
    Unreadable = Callable[[bytes, OSTreeError], None]

_REPORT_EVERY = 256


class Reachable:
    """The digests of objects that are needed, by type.

    Attributes:
        commits: Commits.
        dirtrees: Directories' entries.
        dirmetas: Directories' metadata.
        files: Files, of which there may be millions.
    """

    __slots__ = ("commits", "dirmetas", "dirtrees", "files")

    def __init__(self) -> None:
        self.commits: set[bytes] = set()
        self.dirtrees: set[bytes] = set()
        self.dirmetas: set[bytes] = set()
        self.files = DigestBag()

    def __len__(self) -> int:
        """How many objects there are of all types."""
        return len(self.commits) + len(self.dirtrees) + len(self.dirmetas) + len(self.files)

    def names(self) -> Iterator[ObjectName]:
        """Each object once, directory by directory."""
        for found in self.by_directory():
            for type, digests in found.items():
                for digest in digests:
                    yield ObjectName(Checksum.of_digest(digest), type)

    def by_directory(self) -> Iterator[dict[ObjectType, set[bytes]]]:
        """The digests that begin with each of the 256 bytes, as objects lie on disk."""
        metadata: list[dict[ObjectType, set[bytes]]] = [
            {ObjectType.COMMIT: set(), ObjectType.DIRTREE: set(), ObjectType.DIRMETA: set()}
            for _ in range(256)
        ]
        for type, digests in (
            (ObjectType.COMMIT, self.commits),
            (ObjectType.DIRTREE, self.dirtrees),
            (ObjectType.DIRMETA, self.dirmetas),
        ):
            for digest in digests:
                metadata[digest[0]][type].add(digest)
        for number, found in enumerate(metadata):
            found[ObjectType.FILE] = self.files.heap(number)
            yield found
            found.clear()


def find_reachable(
    repo: Repo,
    roots: Iterable[tuple[Checksum, int]],
    *,
    commit_only: bool = False,
    without: frozenset[Checksum] = frozenset(),
    on_event: Listener | None = None,
) -> Reachable:
    """What commits, and as many generations of their parents as asked for, need.

    A commit that is not there ends its line silently.

    Args:
        repo: Where the objects are.
        roots: Commits, each with the number of generations before it (-1: all).
        commit_only: Whether to leave out what the commits contain.
        without: Commits to be treated as if they were not there.
        on_event: Is told of directories that were followed (``reach``).

    Raises:
        ObjectNotFoundError: a directory of a commit that should be complete is missing.
        FormatError: a commit or directory is damaged.
    """
    reachable = Reachable()
    count = None if on_event is None else _Directories(on_event)
    #: How deep the line was followed from each commit, so that a longer one is not cut short.
    followed: dict[Checksum, int] = {}
    for checksum, depth in roots:
        current: Checksum | None = checksum
        left = depth
        while current is not None and _is_deeper(left, followed.get(current)):
            if current in without:
                break
            try:
                commit = repo.load_commit(current)
            except ObjectNotFoundError:
                break
            if current not in followed:
                reachable.commits.add(current.digest)
                if not commit_only:
                    _add_complete(repo, current, commit.root, reachable, count)
            followed[current] = left
            # Like upstream, any other negative number ends it here.
            if left == 0 or left < -1:
                break
            left = left - 1 if left > 0 else left
            current = commit.parent
    return reachable


def _is_deeper(depth: int, followed: int | None) -> bool:
    """Whether following to ``depth`` (-1: for ever) goes beyond what was followed before."""
    if followed is None:
        return True
    return followed != -1 and (depth == -1 or depth > max(followed, 0))


class _Directories:
    """Counts the directories that are followed, and tells now and then."""

    def __init__(self, on_event: Listener) -> None:
        self._emit = on_event
        self._done = 0

    def __call__(self) -> None:
        self._done += 1
        if self._done % _REPORT_EVERY == 1:
            self._emit(StepProgress("reach", self._done, None))


def _add_complete(
    repo: Repo,
    checksum: Checksum,
    root: TreeId,
    reachable: Reachable,
    count: Callable[[], None] | None,
) -> None:
    """Add what a commit contains; of a partial one, as much as is there."""

    def unreadable(digest: bytes, error: OSTreeError) -> None:
        if not isinstance(error, ObjectNotFoundError) or not repo.is_partial(checksum):
            raise error
        # A complete commit that has this directory, too, must find out that it is missing.
        reachable.dirtrees.discard(digest)

    add_tree(repo, root, reachable, unreadable, count)


def add_tree(
    source: ObjectSource,
    root: TreeId,
    reachable: Reachable,
    unreadable: Unreadable,
    count: Callable[[], None] | None = None,
) -> None:
    """Add a directory and all that is below it; what has been added before is not read again.

    Args:
        source: Where the objects are.
        root: The directory.
        reachable: Where to add.
        unreadable: Is called for a dirtree that is missing (ObjectNotFoundError) or damaged
            (CorruptionError); if it returns, the walk goes on beside it.
        count: Is called for each directory.
    """
    known = reachable.dirtrees
    add_meta = reachable.dirmetas.add
    add_meta(root.dirmeta.digest)
    todo = [root.dirtree.digest]
    while todo:
        digest = todo.pop()
        if digest in known:
            continue
        known.add(digest)
        if count is not None:
            count()
        checksum = digest.hex()
        try:
            data = source.load_metadata(checksum, ObjectType.DIRTREE)
            files, directories = decode_references(data)
        except (ObjectNotFoundError, CorruptionError) as error:
            if isinstance(error, FormatError):
                error.add_prefix(f"Loading {checksum}.dirtree")
            unreadable(digest, error)
            continue
        reachable.files.add(files)
        for dirtree, dirmeta in directories:
            add_meta(dirmeta)
            todo.append(dirtree)
