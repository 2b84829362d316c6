"""Whether all of a commit is there after a delta has been applied (static deltas §10)."""

from __future__ import annotations

from ostree.errors import CorruptionError
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.formats.commit import Commit
    from ostree.repo.repository import Repo


def require_complete(repo: Repo, commit: Commit, base: Checksum | None) -> None:
    """Make sure that no object of a commit's tree is missing.

    Args:
        repo: Where they have to be.
        commit: The commit.
        base: A commit that is there; what it has, too, is not looked for if it is complete.

    Raises:
        CorruptionError: naming the first object that is missing.
    """
    known: frozenset[Checksum] = frozenset()
    if base is not None and not repo.is_partial(base):
        known = frozenset(_directories(repo, repo.load_commit(base).root.dirtree))
    _require(repo, commit.root.dirmeta, ObjectType.DIRMETA)
    seen: set[str] = set(known)
    todo = [commit.root.dirtree]
    while todo:
        dirtree = todo.pop()
        if dirtree in seen:
            continue
        seen.add(dirtree)
        _require(repo, dirtree, ObjectType.DIRTREE)
        entries = repo.load_dirtree(dirtree)
        for _, file in entries.files:
            _require(repo, file, ObjectType.FILE)
        for _, below, dirmeta in entries.dirs:
            if dirmeta not in seen:
                seen.add(dirmeta)
                _require(repo, dirmeta, ObjectType.DIRMETA)
            todo.append(below)


def _directories(repo: Repo, root: Checksum) -> Iterator[Checksum]:
    seen = {root}
    todo = [root]
    while todo:
        dirtree = todo.pop()
        yield dirtree
        for _, below, _ in repo.load_dirtree(dirtree).dirs:
            if below not in seen:
                seen.add(below)
                todo.append(below)


def _require(repo: Repo, checksum: Checksum, type: ObjectType) -> None:
    if not repo.has_object(checksum, type):
        raise CorruptionError(
            f"Object {checksum}.{type.extension} is missing after the static delta was applied"
        )
