"""What a prune removes besides objects: static deltas to nowhere, summaries of remotes that are gone."""

from __future__ import annotations

from ostree.formats.delta.name import DeltaName, index_path
from ostree.repo.static_delta.indexes import targets
from ostree.repo.static_delta.storage import list_unsorted
from ostree.system import files
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostree.repo.repository import Repo
    from ostree.types import Checksum

_SUMMARIES = "tmp/cache/summaries"


def prune_deltas(
    repo: Repo,
    *,
    gone: frozenset[Checksum] = frozenset(),
    to: str | None = None,
    dry_run: bool = False,
) -> list[str]:
    """Delete static deltas, and delta indexes, whose target commit is not there.

    What an interrupted run has left of a delta goes, too.

    Args:
        repo: The repository.
        gone: Commits to be treated as if they were not there.
        to: A commit that no delta is to lead to either, or any text.
        dry_run: Whether to delete nothing.

    Returns:
        The names of the deltas, ``[FROM-]TO``, sorted.
    """

    def is_unwanted(target: Checksum) -> bool:
        return target == to or target in gone or not repo.has_object(target, ObjectType.COMMIT)

    deleted = []
    for name in list(_directories(repo)):
        if is_unwanted(name.target):
            deleted.append(str(name))
            if not dry_run:
                # Without its superblock it is no delta any more, whatever ends this halfway.
                files.remove_tree(name.superblock, repo.dir_fd)
                files.remove_tree(name.directory, repo.dir_fd)
    _prune_indexes(repo, is_unwanted, dry_run=dry_run)
    return sorted(deleted)


def _directories(repo: Repo) -> Iterator[DeltaName]:
    for prefix in list_unsorted("deltas", repo.dir_fd):
        for rest in list_unsorted(f"deltas/{prefix}", repo.dir_fd):
            name = DeltaName.of_directory(prefix + rest)
            if name is not None:
                yield name


def _prune_indexes(repo: Repo, is_unwanted: Callable[[Checksum], bool], *, dry_run: bool) -> None:
    """Upstream leaves them; a pull that follows one asks for a delta that is not there."""
    for target in list(targets(repo)):
        if is_unwanted(target) and not dry_run:
            files.remove_tree(index_path(target), repo.dir_fd)


def prune_summary_cache(repo: Repo) -> None:
    """Delete cached summaries and signatures of remotes that are not configured any more."""
    known = set(repo.remotes.names())
    for name in files.list_directory(_SUMMARIES, repo.dir_fd):
        if name.removesuffix(".sig") not in known:
            files.remove_tree(f"{_SUMMARIES}/{name}", repo.dir_fd)
