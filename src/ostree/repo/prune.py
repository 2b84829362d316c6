"""Deletion of objects that nothing needs (repository format §8.2)."""

from __future__ import annotations

from typing import NamedTuple

from ostree.errors import ExistsError, FormatError, ObjectNotFoundError
from ostree.events import StepProgress, ignore
from ostree.repo.commit_deletion import delete_commit, enable_tombstones
from ostree.repo.prune_leftovers import prune_deltas, prune_summary_cache
from ostree.repo.prune_roots import Keep, choose_roots, referrer_of
from ostree.repo.reachability import find_reachable
from ostree.repo.unreachable import find_unreachable
from ostree.store.layout import loose_path
from ostree.types import Checksum, ObjectName, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.events import Listener
    from ostree.repo.repository import Repo
    from ostree.repo.unreachable import Unreachable

#: From those that name others to those that are named: a commit or directory without its objects
#: would be worse than objects without owner, whatever ends this halfway.
_TYPES = (
    ObjectType.COMMIT,
    ObjectType.DIRTREE,
    ObjectType.DIRMETA,
    ObjectType.FILE,
    ObjectType.PAYLOAD_LINK,
)
_REPORT_EVERY = 256


class Share(NamedTuple):
    """Objects of one type.

    Attributes:
        objects: How many.
        bytes: Of their files.
    """

    objects: int
    bytes: int


class PruneResult(NamedTuple):
    """What a prune found.

    Attributes:
        total: Objects that were looked at.
        deleted: Objects that were deleted, or would have been.
        freed: Bytes of their files.
        by_type: The same for each type that there is any of.
        commits: The commits among them, sorted; a commit that was to be deleted is not counted
            above, but is here.
        static_deltas: The deltas that went, or would have, as ``[FROM-]TO``.
    """

    total: int
    deleted: int
    freed: int
    by_type: dict[ObjectType, Share]
    commits: tuple[Checksum, ...]
    static_deltas: tuple[str, ...]


class PruneRequest(NamedTuple):
    """What to prune.

    Attributes:
        keep: What keeps commits.
        extra_roots: Commits to keep besides, their parents not.
        delete_commit: The checksum of a commit that goes first, unless a ref points to it;
            tombstones are written from then on.
        static_deltas_only: Instead of that commit only static deltas that lead to it go.
        commit_only: Only commits are looked at; what they contain stays.
        dry_run: Nothing is deleted.
        ignored_refs: Refspecs that keep nothing, as if they were gone.
    """

    keep: Keep
    extra_roots: tuple[Checksum, ...] = ()
    delete_commit: str | None = None
    static_deltas_only: bool = False
    commit_only: bool = False
    dry_run: bool = False
    ignored_refs: frozenset[str] = frozenset()


def prune(
    repo: Repo,
    *,
    refs_only: bool = True,
    depth: int = 0,
    extra_roots: Iterable[Checksum] = (),
    commit_only: bool = False,
    dry_run: bool = False,
) -> PruneResult:
    """Delete what refs, or all commits, do not keep; see :func:`carry_out`.

    Args:
        repo: Whose own objects.
        refs_only: Whether only refs keep commits; otherwise every commit keeps itself.
        depth: How many generations of parents are kept as well (-1: all).
        extra_roots: Commits to keep, their parents not.
        commit_only: Whether to look at commits alone.
        dry_run: Whether to delete nothing.

    Raises:
        OSTreeError: an object that is needed cannot be read; nothing has been deleted then.
    """
    request = PruneRequest(
        Keep(refs_only=refs_only, depth=depth),
        extra_roots=tuple(extra_roots),
        commit_only=commit_only,
        dry_run=dry_run,
    )
    return carry_out(repo, request)


def carry_out(
    repo: Repo, request: PruneRequest, *, on_event: Listener | None = None
) -> PruneResult:
    """Delete what is not reachable, holding the repository's exclusive lock.

    Args:
        repo: Whose own objects; those of a parent repository are not touched.
        request: What to prune.
        on_event: Is told of directories followed from commits (``reach``), of directories of
            objects read (``scan``) and of objects deleted (``prune``).

    Raises:
        RefNotFoundError: a branch that was named does not exist.
        ExistsError: ``Commit 'HEX' is referenced by …``.
        OSTreeError: an object that is needed cannot be read; nothing but the commit that was to
            be deleted has been then.
    """
    if not request.dry_run:
        repo.require_writable()
    with repo.lock.hold(exclusive=True):
        deleted = None
        if request.delete_commit is not None and not request.static_deltas_only:
            check_unreferenced(repo, request.delete_commit)
        for branch in request.keep.only_branches:
            repo.resolve(branch)
        if request.delete_commit is not None and not request.static_deltas_only:
            deleted = delete_named_commit(repo, request.delete_commit, dry_run=request.dry_run)
        unreachable = _find(repo, request, deleted, on_event)
        return _sweep(repo, request, unreachable, deleted, on_event)


def _find(
    repo: Repo, request: PruneRequest, deleted: Checksum | None, on_event: Listener | None
) -> Unreachable:
    """What is not reachable; a commit to be deleted counts as if it were gone."""
    gone = frozenset(() if deleted is None else (deleted,))
    roots = list(
        choose_roots(
            request.keep,
            {ref: to for ref, to in repo.refs.all().items() if ref not in request.ignored_refs},
            repo.refs.mirrored().items(),
            repo.store.objects_of(ObjectType.COMMIT),
            lambda commit: None if commit in gone else _history(repo, commit),
        )
    )
    roots += [(extra, 0) for extra in request.extra_roots]
    reachable = find_reachable(
        repo, roots, commit_only=request.commit_only, without=gone, on_event=on_event
    )
    types = (ObjectType.COMMIT,) if request.commit_only else _TYPES
    return find_unreachable(repo.store, reachable, types, on_event)


def _history(repo: Repo, checksum: Checksum) -> tuple[int, Checksum | None] | None:
    try:
        commit = repo.load_commit(checksum)
    except ObjectNotFoundError:
        return None
    return commit.timestamp, commit.parent


def _sweep(
    repo: Repo,
    request: PruneRequest,
    unreachable: Unreachable,
    deleted: Checksum | None,
    on_event: Listener | None,
) -> PruneResult:
    """Delete, or add up."""
    emit = on_event or ignore
    total = sum(map(unreachable.count, unreachable.types))
    done = 0
    by_type: dict[ObjectType, Share] = {}
    for type in unreachable.types:
        size = 0
        for checksum in unreachable.of_type(type):
            if request.dry_run:
                size += repo.store.stored_size(checksum, type)
            elif type is ObjectType.COMMIT:
                size += delete_commit(repo, checksum)
            else:
                size += repo.store.delete(ObjectName(checksum, type))
            done += 1
            if done % _REPORT_EVERY == 0 or done == total:
                emit(StepProgress("prune", done, total))
        count = unreachable.count(type)
        if count:
            by_type[type] = Share(count, size)
    commits = set(unreachable.of_type(ObjectType.COMMIT))
    if deleted is not None:
        commits.add(deleted)
    deltas = prune_deltas(
        repo,
        gone=frozenset(commits),
        to=request.delete_commit if request.static_deltas_only else None,
        dry_run=request.dry_run,
    )
    if not request.dry_run:
        prune_summary_cache(repo)
    return PruneResult(
        unreachable.total,
        total,
        sum(share.bytes for share in by_type.values()),
        by_type,
        tuple(sorted(commits)),
        tuple(deltas),
    )


def check_unreferenced(repo: Repo, text: str) -> None:
    """Check that no ref points to a commit, which may be any text.

    Raises:
        ExistsError: ``Commit 'HEX' is referenced by …``.
    """
    referrer = referrer_of(text, repo.refs.all(), repo.refs.mirrored().items())
    if referrer is not None:
        raise ExistsError(f"Commit '{text}' is referenced by {referrer}")


def delete_named_commit(repo: Repo, text: str, *, dry_run: bool) -> Checksum:
    """Delete a commit, leaving a tombstone; its objects stay for a prune.

    Args:
        repo: Configured to write tombstones from now on, even if the deletion fails.
        text: The checksum; names and abbreviations are none.
        dry_run: Whether to look only.

    Raises:
        ObjectNotFoundError: if there is no such commit.
    """
    if not dry_run:
        enable_tombstones(repo)
    try:
        checksum = Checksum(text)
    except FormatError as error:
        path = loose_path(text, "commit") if len(text) > 1 else text
        raise ObjectNotFoundError(
            f"Deleting object {text}.commit: unlinkat({path}): No such file or directory"
        ) from error
    if dry_run:
        repo.store.stored_size(checksum, ObjectType.COMMIT)
    else:
        delete_commit(repo, checksum)
    return checksum
