"""Pulling from a configured remote."""

from __future__ import annotations

import os
from time import monotonic

from ostree.errors import NotFoundError, OSTreeError, RepoError
from ostree.events import ignore
from ostree.system.workers import WorkerPool
from ostree.transfer.http_engine import HttpEngine
from ostree.transfer.options import PullOptions, PullResult
from ostree.transfer.plan import Facts, Planner
from ostree.transfer.remote import access, open_fetcher, refuse_signatures
from ostree.transfer.remote_summary import fetch_config, fetch_summary
from ostree.transfer.wanted import (
    CommitChecks,
    add_all,
    parse_wanted,
    resolve_by_ref_file,
    resolve_by_summary,
)
from ostree.types import Checksum, ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.events import Listener
    from ostree.formats.dirtree import DirTree
    from ostree.net.fetcher import Fetcher
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.transfer.remote import RemoteAccess
    from ostree.transfer.remote_summary import RemoteSummary
    from ostree.transfer.wanted import Wanted

#: Jobs that workers may have waiting; what they hold is bounded in bytes already.
_BACKLOG = 512


def pull(
    repo: Repo,
    remote_name: str,
    refs: Sequence[str] = (),
    options: PullOptions | None = None,
    on_event: Listener | None = None,
) -> PullResult:
    """Fetch commits from a configured remote and point its refs at them.

    Args:
        repo: The destination.
        remote_name: A configured remote.
        refs: Each a ref name, ``REF@CHECKSUM`` or a checksum; the configured branches if empty.
        options: How to pull.
        on_event: Is given :class:`~ostree.events.PullProgress`.

    Returns:
        What was done.

    Raises:
        SignatureError: if the remote demands signatures; nothing is fetched then.
        OSTreeError: naming what went wrong.  No ref has changed; objects that came are kept for
            the next pull.
    """
    options = options or PullOptions()
    remote = repo.remotes.get(remote_name)
    repo.require_writable()
    if options.require_static_deltas:
        raise RepoError("Static deltas are required, and this version cannot use them")
    refuse_signatures(remote, options)
    source = access(remote, options)
    wanted = parse_wanted(refs or source.branches)
    if not wanted and not options.mirror:
        raise OSTreeError(f"No configured branches for remote {remote_name}")
    with open_fetcher(repo, remote, options) as fetcher:
        everything = options.mirror and not refs
        summary = _resolve(wanted, source, fetcher, everything=everything)
        result = _pull_objects(repo, source, wanted, fetcher, options, on_event or ignore)
        if everything and not source.branches and summary is not None:
            _keep_summary(repo, summary)
    return result


def _resolve(
    wanted: list[Wanted], source: RemoteAccess, fetcher: Fetcher, *, everything: bool
) -> RemoteSummary | None:
    """Find out which commits are wanted (remotes and pull §4.2)."""
    if not everything and all(item.checksum is not None for item in wanted):
        return None
    found = fetch_summary(fetcher, source.meta_url)
    if found is None:
        if everything:
            raise NotFoundError(
                "Fetching all refs was requested in mirror mode, "
                "but remote repository does not have a summary"
            )
        for item in wanted:
            if item.checksum is None:
                resolve_by_ref_file(item, fetcher, source.meta_url)
        return None
    summary = found.summary
    if summary.mode is not None and summary.value("ostree.summary.tombstone-commits") is not None:
        _check_mode(fetcher, source)
    if everything:
        add_all(wanted, summary)
    resolve_by_summary(wanted, summary)
    return found


def _check_mode(fetcher: Fetcher, source: RemoteAccess) -> None:
    mode = fetch_config(fetcher, source.meta_url).find_string("core", "mode") or "bare"
    if RepoMode.parse(mode) is not RepoMode.ARCHIVE:
        raise RepoError(f'Can\'t pull from archives with mode "{mode}"')


def _pull_objects(
    repo: Repo,
    source: RemoteAccess,
    wanted: list[Wanted],
    fetcher: Fetcher,
    options: PullOptions,
    on_event: Listener,
) -> PullResult:
    """The transaction: objects, then refs, then the marks of partial commits."""
    result = PullResult(local=False)
    checks = CommitChecks(repo, wanted, source.collection_id, options)
    with repo.transaction(fsync=options.fsync) as transaction:
        planner = make_planner(repo, transaction, wanted, options, source.name)
        started = monotonic()
        with WorkerPool(backlog=_BACKLOG) as pool:
            engine = HttpEngine(
                repo, transaction, fetcher, pool, source, planner, options, result, checks, on_event
            )
            try:
                engine.run()
            finally:
                pool.close(discard=True)
                engine.close()
        result.seconds = int(monotonic() - started)
        set_refs(repo, transaction, wanted, options, source.name)
    finish(transaction, planner, wanted, options, result)
    return result


# what pulls of every kind share ---------------------------------------------------------------------


class RepoFacts(Facts):
    """What a planner asks about a repository.

    Args:
        repo: The destination.
        resumed: Whether objects of an interrupted pull were found, which makes all commits
            doubtful.
    """

    __slots__ = ("_has", "_repo", "_resumed")

    def __init__(self, repo: Repo, *, resumed: bool) -> None:
        self._repo = repo
        self._resumed = resumed
        self._has = repo.store.has if repo.parent is None else repo.has_object

    def has(self, checksum: Checksum, type: ObjectType) -> bool:
        """Whether the object is there, or in a parent."""
        return self._has(checksum, type)

    def is_complete(self, commit: Checksum) -> bool:
        """Whether a commit that is there has everything it needs."""
        return not self._resumed and not self._repo.is_partial(commit)

    def tree(self, dirtree: Checksum) -> DirTree:
        """A directory of a commit that is complete."""
        return self._repo.load_dirtree(dirtree)


def make_planner(
    repo: Repo,
    transaction: Transaction,
    wanted: list[Wanted],
    options: PullOptions,
    remote_name: str | None,
) -> Planner:
    """A planner that has been told what is wanted."""
    facts = RepoFacts(repo, resumed=transaction.resumed)
    planner = Planner(
        facts,
        depth=options.depth,
        commit_metadata_only=options.commit_metadata_only,
        subpaths=options.subpaths,
    )
    for item in wanted:
        base = None
        if item.ref is not None:
            before = repo.refs.get(ref_to_set(item.ref, remote_name, options))
            if before is not None and before != item.commit:
                base = _complete_root(repo, facts, before)
        planner.request(item.commit, ref=item.ref, max_size=item.max_size, base=base)
    return planner


def _complete_root(repo: Repo, facts: Facts, commit: Checksum) -> Checksum | None:
    """The root dirtree of a commit that is complete."""
    if not facts.has(commit, ObjectType.COMMIT) or not facts.is_complete(commit):
        return None
    return repo.load_commit(commit).root.dirtree


def ref_to_set(ref: str, remote_name: str | None, options: PullOptions) -> str:
    """The refspec under which a ref of the source is known here."""
    remote = options.override_remote_name or remote_name
    return ref if remote is None or options.mirror else f"{remote}:{ref}"


def set_refs(
    repo: Repo,
    transaction: Transaction,
    wanted: list[Wanted],
    options: PullOptions,
    remote_name: str | None,
) -> None:
    """Point refs at their new commits, when the transaction ends (§4.11)."""
    remote = options.override_remote_name or remote_name
    for item in wanted:
        if item.ref is None:
            continue
        known_as = item.ref if remote is None else f"{remote}:{item.ref}"
        if repo.refs.get(known_as) == item.commit:
            continue
        if options.mirror and item.collection is not None:
            transaction.set_mirrored_ref(item.collection, item.ref, item.commit)
        else:
            transaction.set_ref(ref_to_set(item.ref, remote_name, options), item.commit)


def finish(
    transaction: Transaction,
    planner: Planner,
    wanted: list[Wanted],
    options: PullOptions,
    result: PullResult,
) -> None:
    """After the transaction: the commits are complete now, and the result too."""
    if not options.is_partial:
        for commit in planner.commits:
            transaction.unmark_partial(commit)
    result.content_bytes_written = transaction.stats.content_bytes_written
    for item in wanted:
        result.commits[item.ref or item.commit] = item.commit


def _keep_summary(repo: Repo, summary: RemoteSummary) -> None:
    """Store the summary of a mirrored repository with its validators."""
    from contextlib import suppress

    from ostree.system import files

    files.replace_file("summary", summary.data, repo.dir_fd, sync=repo.config.fsync)
    fd = os.open("summary", files.FILE_FLAGS, dir_fd=repo.dir_fd)
    try:
        if summary.last_modified is not None:
            os.utime(fd, (summary.last_modified, summary.last_modified))
        if summary.etag is not None:
            with suppress(OSError):
                os.setxattr(fd, "user.etag", summary.etag.encode("utf-8", "replace"))
    finally:
        os.close(fd)
