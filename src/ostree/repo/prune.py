"""Deletion of objects that nothing needs (repository format §8.2)."""

from __future__ import annotations

from typing import NamedTuple

from ostree.repo.reachability import find_reachable, ref_targets
from ostree.system import files
from ostree.types import Checksum, ObjectName, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostree.repo.reachability import Reachable
    from ostree.repo.repository import Repo

#: Commits first: a commit without its objects would be worse than objects without a commit.
_TYPES = (ObjectType.COMMIT, ObjectType.DIRTREE, ObjectType.DIRMETA, ObjectType.FILE)


class PruneResult(NamedTuple):
    """What a prune found.

    Attributes:
        total: Objects that were looked at.
        deleted: Objects that were deleted, or would have been.
        freed: Bytes of their files.
    """

    total: int
    deleted: int
    freed: int


def prune(
    repo: Repo,
    *,
    refs_only: bool = True,
    depth: int = 0,
    extra_roots: Iterable[Checksum] = (),
    commit_only: bool = False,
    dry_run: bool = False,
) -> PruneResult:
    """Delete what is not reachable, holding the repository's exclusive lock.

    Args:
        repo: Whose own objects; those of a parent repository are not touched.
        refs_only: Whether only refs keep commits; otherwise every commit keeps itself.
        depth: How many generations of parents are kept as well (-1: all).
        extra_roots: Commits to keep, their parents not.
        commit_only: Whether to look at commits alone.
        dry_run: Whether to delete nothing.

    Raises:
        OSTreeError: an object that is needed cannot be read; nothing has been deleted then.
    """
    repo.require_writable()
    with repo.lock.hold(exclusive=True):
        heads = ref_targets(repo) if refs_only else set(repo.store.objects_of(ObjectType.COMMIT))
        roots = [(head, depth) for head in sorted(heads)]
        roots += [(extra, 0) for extra in extra_roots]
        reachable = find_reachable(repo, roots, commit_only=commit_only)
        return _sweep(repo, reachable, commit_only=commit_only, dry_run=dry_run)


def _sweep(repo: Repo, reachable: Reachable, *, commit_only: bool, dry_run: bool) -> PruneResult:
    total = deleted = freed = 0
    for type in (ObjectType.COMMIT,) if commit_only else _TYPES:
        for checksum in list(repo.store.objects_of(type)):
            total += 1
            if reachable.has(checksum, type):
                continue
            deleted += 1
            for name in _with_companions(repo, checksum, type):
                if dry_run:
                    freed += repo.store.stored_size(name.checksum, name.type)
                else:
                    freed += repo.store.delete(name)
            if type is ObjectType.COMMIT and not dry_run:
                files.remove_tree(f"state/{checksum}.commitpartial", repo.dir_fd)
    return PruneResult(total, deleted, freed)


def _with_companions(repo: Repo, checksum: Checksum, type: ObjectType) -> Iterator[ObjectName]:
    """An object, and before it what is of no use without it."""
    if type is ObjectType.COMMIT and repo.store.has(checksum, ObjectType.COMMITMETA):
        yield ObjectName(checksum, ObjectType.COMMITMETA)
    yield ObjectName(checksum, type)
