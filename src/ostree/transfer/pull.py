"""Pulling from a configured remote."""

from __future__ import annotations

from time import monotonic

from ostree.errors import NotFoundError, OSTreeError, RepoError
from ostree.events import ignore
from ostree.repo.remotes import Remote
from ostree.repo.repository import Repo
from ostree.system.workers import WorkerPool, default_workers
from ostree.transfer.connection import connect
from ostree.transfer.delta_use import check_options, estimate, find_deltas
from ostree.transfer.demands import trust_in
from ostree.transfer.destination import (
    finish,
    keep_summary,
    make_planner,
    note_commits,
    set_refs,
)
from ostree.transfer.http_engine import HttpEngine
from ostree.transfer.local_caches import LocalCaches
from ostree.transfer.options import PullOptions, PullResult
from ostree.transfer.remote import access, require_pullable
from ostree.transfer.remote_summary import (
    fetch_config,
    fetch_summary,
    open_cache,
    verification,
)
from ostree.transfer.trust import WHEN_PULLING
from ostree.transfer.wanted import (
    CommitChecks,
    add_all,
    collection_wanted,
    parse_wanted,
    resolve_by_ref_file,
    resolve_by_summary,
)
from ostree.types import RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostree.events import Listener
    from ostree.formats.delta.superblock import Superblock
    from ostree.formats.summary import Summary
    from ostree.net.fetcher import Fetcher
    from ostree.repo.transaction import Transaction
    from ostree.transfer.plan import Planner
    from ostree.transfer.remote import RemoteAccess
    from ostree.transfer.remote_summary import RemoteSummary
    from ostree.transfer.summary_cache import SummaryCache
    from ostree.transfer.survey import PullEstimate
    from ostree.transfer.trust import Trust
    from ostree.transfer.wanted import Wanted
    from ostree.types import Checksum

#: Jobs that workers may have waiting; what they hold is bounded in bytes already.
_BACKLOG = 512


def pull(
    repo: Repo,
    remote: str | Remote,
    refs: Sequence[str] = (),
    options: PullOptions | None = None,
    on_event: Listener | None = None,
) -> PullResult:
    """Fetch commits from a configured remote and point its refs at them.

    Args:
        repo: The destination.
        remote: A configured remote, or one that is configured nowhere.
        refs: Each a ref name, ``REF@CHECKSUM`` or a checksum; the configured branches if neither
            these nor refs of collections are given.
        options: How to pull.
        on_event: Is given :class:`~ostree.events.PullProgress`.

    Returns:
        What was done.

    Raises:
        SignatureError: if something is not signed as the remote's configuration demands.
        OSTreeError: naming what went wrong.  No ref has changed; objects that came are kept for
            the next pull.
    """
    options = options or PullOptions()
    remote = remote if isinstance(remote, Remote) else repo.remotes.get(remote)
    repo.require_writable()
    check_options(repo, options)
    trust = trust_in(repo, remote, options)
    require_pullable(remote)
    source = access(remote, options)
    wanted = collection_wanted(options.collection_refs)
    everything = not refs and not wanted
    wanted += parse_wanted(refs or (source.branches if everything else ()))
    if not wanted and not options.mirror:
        raise OSTreeError(f"No configured branches for remote {remote.name}")
    listener = on_event or ignore
    cache = open_cache(repo, source, options)
    if source.local_path is not None and not options.require_static_deltas:
        from ostree.transfer.pull_local import pull_directory

        for path in options.localcache_repos:  # of no use here, but they have to be there
            Repo.open(path).close()
        return pull_directory(repo, source, wanted, options, trust, listener, everything=everything)
    with connect(repo, remote, source, options) as (found, fetcher):
        mirrors_all = options.mirror and everything
        summary_known = mirrors_all or any(item.checksum is None for item in wanted)
        summary = _resolve(wanted, found, fetcher, options, trust, cache, everything=mirrors_all)
        result = _pull_objects(
            repo,
            found,
            wanted,
            fetcher,
            options,
            trust,
            listener,
            summary=summary.summary if summary is not None else None,
            summary_known=summary_known,
        )
        keeps_summary = mirrors_all and not source.branches and not options.dry_run
        if keeps_summary and summary is not None:
            keep_summary(
                repo,
                summary.data,
                summary.signature,
                etag=summary.etag,
                last_modified=summary.last_modified,
            )
    return result


def _resolve(
    wanted: list[Wanted],
    source: RemoteAccess,
    fetcher: Fetcher,
    options: PullOptions,
    trust: Trust,
    cache: SummaryCache | None,
    *,
    everything: bool,
) -> RemoteSummary | None:
    """Find out which commits are wanted (remotes and pull §4.2)."""
    if not everything and all(item.checksum is not None for item in wanted):
        return None
    found = fetch_summary(
        fetcher,
        source,
        cache=cache,
        verify=verification(trust, WHEN_PULLING),
        fail_on_stale_cache=options.fail_on_stale_cache,
    )
    if found is None:
        if everything and not wanted:
            raise NotFoundError(
                "Fetching all refs was requested in mirror mode, "
                "but remote repository does not have a summary"
            )
        for item in wanted:
            if item.checksum is None:
                resolve_by_ref_file(item, fetcher, source)
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
    trust: Trust,
    on_event: Listener,
    *,
    summary: Summary | None,
    summary_known: bool,
) -> PullResult:
    """The transaction: objects, then refs, then the marks of partial commits."""
    result = PullResult(local=False)
    checks = CommitChecks(repo, wanted, source.collection_id, options)
    with repo.transaction(
        fsync=options.fsync, per_object_fsync=options.per_object_fsync
    ) as transaction:
        planner = make_planner(repo, transaction, wanted, options, source.name)
        started = monotonic()
        deltas = find_deltas(
            repo,
            fetcher,
            source,
            wanted,
            options,
            summary,
            result,
            summary_known=summary_known,
            resumed=transaction.resumed,
            digests_required=trust.demands_gpg_summary,
        )
        with LocalCaches(
            options.localcache_repos,
            repo,
            transaction.charge,
            untrusted=options.untrusted,
            bare_user_only=options.bareuseronly_files,
        ) as caches:
            if options.dry_run:
                transaction.withhold()
                result.estimate = _estimate(
                    repo, source, fetcher, planner, options, checks, caches, trust, on_event, deltas
                )
                note_commits(wanted, result)
                return result
            _fetch(
                repo,
                transaction,
                source,
                fetcher,
                planner,
                options,
                result,
                checks,
                caches,
                trust,
                on_event,
                deltas,
            )
        result.seconds = int(monotonic() - started)
        set_refs(repo, transaction, wanted, options, source.name)
    finish(transaction, planner, wanted, options, result)
    return result


def _fetch(
    repo: Repo,
    transaction: Transaction,
    source: RemoteAccess,
    fetcher: Fetcher,
    planner: Planner,
    options: PullOptions,
    result: PullResult,
    checks: CommitChecks,
    caches: LocalCaches,
    trust: Trust,
    on_event: Listener,
    deltas: Mapping[Checksum, Sequence[Superblock]],
) -> None:
    """The object phase."""
    with WorkerPool(max(1, default_workers() - 1), backlog=_BACKLOG) as pool:
        engine = HttpEngine(
            repo,
            transaction,
            fetcher,
            pool,
            source,
            planner,
            options,
            result,
            checks,
            caches,
            trust,
            on_event,
            deltas,
        )
        try:
            engine.run()
        finally:
            pool.close(discard=True)
            engine.close()


def _estimate(
    repo: Repo,
    source: RemoteAccess,
    fetcher: Fetcher,
    planner: Planner,
    options: PullOptions,
    checks: CommitChecks,
    caches: LocalCaches,
    trust: Trust,
    on_event: Listener,
    deltas: Mapping[Checksum, Sequence[Superblock]],
) -> PullEstimate:
    """What the object phase would move."""
    from ostree.transfer.survey import PullEstimate, Survey
    from ostree.transfer.survey_sources import ServerSource

    if options.require_static_deltas:  # they say all that is to be said
        return PullEstimate(estimate(repo, deltas), walked=False)
    server = ServerSource(fetcher, source)
    return Survey(repo, server, planner, checks, caches, trust, on_event, deltas).run()
