"""Which objects commits need (repository format §8.1)."""

from __future__ import annotations

from ostree.errors import FormatError, ObjectNotFoundError
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.repo.repository import Repo
    from ostree.types import TreeId


class Reachable:
    """Objects that are needed, by type.

    Attributes:
        commits: Commits.
        dirtrees: Directories' entries.
        dirmetas: Directories' metadata.
        files: Files.
    """

    __slots__ = ("commits", "dirmetas", "dirtrees", "files")

    def __init__(self) -> None:
        self.commits: set[Checksum] = set()
        self.dirtrees: set[Checksum] = set()
        self.dirmetas: set[Checksum] = set()
        self.files: set[Checksum] = set()

    def has(self, checksum: Checksum, type: ObjectType) -> bool:
        """Whether an object is needed; True for types that no commit names."""
        if type is ObjectType.COMMIT:
            return checksum in self.commits
        if type is ObjectType.DIRTREE:
            return checksum in self.dirtrees
        if type is ObjectType.DIRMETA:
            return checksum in self.dirmetas
        if type is ObjectType.FILE:
            return checksum in self.files
        return True


def find_reachable(
    repo: Repo, roots: Iterable[tuple[Checksum, int]], *, commit_only: bool = False
) -> Reachable:
    """What commits, and as many generations of their parents as asked for, need.

    A commit that is not there ends its line silently.

    Args:
        repo: Where the objects are.
        roots: Commits, each with the number of generations before it (-1: all).
        commit_only: Whether to leave out what the commits contain.

    Raises:
        ObjectNotFoundError: a directory of a commit that should be complete is missing.
        FormatError: a commit or directory is damaged.
    """
    reachable = Reachable()
    #: How deep the line was followed from each commit, so that a longer one is not cut short.
    followed: dict[Checksum, int] = {}
    for checksum, depth in roots:
        current: Checksum | None = checksum
        left = depth
        while current is not None and _is_deeper(left, followed.get(current)):
            try:
                commit = repo.load_commit(current)
            except ObjectNotFoundError:
                break
            if current not in followed:
                reachable.commits.add(current)
                if not commit_only:
                    _add_tree(repo, commit.root, reachable, partial=repo.is_partial(current))
            followed[current] = left
            if left == 0:
                break
            left = left - 1 if left > 0 else left
            current = commit.parent
    return reachable


def _is_deeper(depth: int, followed: int | None) -> bool:
    """Whether following to ``depth`` (-1: for ever) goes beyond what was followed before."""
    if followed is None:
        return True
    return followed >= 0 and (depth < 0 or depth > followed)


def _add_tree(repo: Repo, root: TreeId, reachable: Reachable, *, partial: bool) -> None:
    reachable.dirmetas.add(root.dirmeta)
    todo = [root.dirtree]
    while todo:
        checksum = todo.pop()
        if checksum in reachable.dirtrees:
            continue
        reachable.dirtrees.add(checksum)
        try:
            contents = repo.load_dirtree(checksum)
        except ObjectNotFoundError:
            if not partial:
                raise
            # A complete commit that has this directory, too, must find out that it is missing.
            reachable.dirtrees.discard(checksum)
            continue
        reachable.files.update(file for _, file in contents.files)
        for _, dirtree, dirmeta in contents.dirs:
            reachable.dirmetas.add(dirmeta)
            todo.append(dirtree)


def ref_targets(repo: Repo) -> set[Checksum]:
    """The commits that refs of all kinds name; what is no checksum is skipped."""
    texts = {*repo.refs.all().values(), *repo.refs.mirrored().values()}
    targets = set()
    for text in texts:
        try:
            targets.add(Checksum(text))
        except FormatError:
            continue
    return targets
