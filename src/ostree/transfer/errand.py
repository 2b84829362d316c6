"""One errand at a server: which commits are wanted of it, then their objects, then the refs.

What the parts of a pull over HTTP have in common is here once: the repository, the server, the
options, what is wanted and why it is believed.
"""

from __future__ import annotations

from time import monotonic

from ostree.errors import NotFoundError, RepoError
from ostree.system.processors import default_workers
from ostree.system.workers import WorkerPool
from ostree.transfer.delta_use import check_deltas, delta_wishes, estimate, may_use_deltas
from ostree.transfer.destination import (
    RepoFacts,
    finish,
    make_planner,
    note_commits,
    set_refs,
)
from ostree.transfer.http_engine import HttpEngine
from ostree.transfer.local_caches import LocalCaches
from ostree.transfer.options import PullResult
from ostree.transfer.remote_summary import fetch_config, fetch_summary, verification
from ostree.transfer.trust import WHEN_PULLING
from ostree.transfer.wanted import (
    CommitChecks,
    add_all,
    resolve_by_ref_file,
    resolve_by_summary,
)
from ostree.types import RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostree.events import Listener
    from ostree.formats.delta.superblock import Superblock
    from ostree.net.fetcher import Fetcher
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.transfer.options import PullOptions
    from ostree.transfer.plan import Planner
    from ostree.transfer.remote import RemoteAccess
    from ostree.transfer.remote_summary import RemoteSummary
    from ostree.transfer.summary_cache import SummaryCache
    from ostree.transfer.survey import PullEstimate
    from ostree.transfer.trust import Trust
    from ostree.transfer.wanted import Wanted
    from ostree.types import Checksum

    Deltas = Mapping[Checksum, Sequence[Superblock]]

#: Jobs that workers may have waiting; what they hold is bounded in bytes already.
_BACKLOG = 512


class Errand:
    """A pull of some commits from a server.

    Args:
        repo: The destination.
        source: Where the server really is.
        fetcher: Set up for it, and idle.
        wanted: What is wanted; completed by :meth:`resolve`.
        options: How to pull.
        trust: What has to be signed, and by whom.
        on_event: Is given :class:`~ostree.events.PullProgress`.

    Attributes:
        summary: The server's, once it was asked for and if it has one.
    """

    def __init__(
        self,
        repo: Repo,
        source: RemoteAccess,
        fetcher: Fetcher,
        wanted: list[Wanted],
        options: PullOptions,
        trust: Trust,
        on_event: Listener,
    ) -> None:
        self._repo = repo
        self._source = source
        self._fetcher = fetcher
        self._wanted = wanted
        self._options = options
        self._trust = trust
        self._emit = on_event
        self._summary_asked = False
        self._result = PullResult(local=False)
        self.summary: RemoteSummary | None = None

    # which commits ----------------------------------------------------------------------------

    def resolve(self, cache: SummaryCache | None, *, everything: bool) -> None:
        """Find out which commits are wanted (remotes and pull §4.2).

        Args:
            cache: Where copies of the summary are kept.
            everything: Whether all refs of the summary are wanted as well.

        Raises:
            SignatureError: if the summary is not signed as it has to be.
            OSTreeError: if the server does not tell.
        """
        wanted, options = self._wanted, self._options
        if not everything and all(item.checksum is not None for item in wanted):
            return
        self._summary_asked = True
        self.summary = fetch_summary(
            self._fetcher,
            self._source,
            cache=cache,
            verify=verification(self._trust, WHEN_PULLING),
            fail_on_stale_cache=options.fail_on_stale_cache,
        )
        if self.summary is None:
            self._resolve_without_summary(everything=everything)
            return
        summary = self.summary.summary
        tombstones = summary.value("ostree.summary.tombstone-commits")
        if summary.mode is not None and tombstones is not None:
            self._check_mode()
        if everything:
            add_all(wanted, summary)
        resolve_by_summary(wanted, summary)

    def _resolve_without_summary(self, *, everything: bool) -> None:
        if everything and not self._wanted:
            raise NotFoundError(
                "Fetching all refs was requested in mirror mode, "
                "but remote repository does not have a summary"
            )
        for item in self._wanted:
            if item.checksum is None:
                resolve_by_ref_file(item, self._fetcher, self._source)

    def _check_mode(self) -> None:
        config = fetch_config(self._fetcher, self._source.meta_url)
        mode = config.find_string("core", "mode") or "bare"
        if RepoMode.parse(mode) is not RepoMode.ARCHIVE:
            raise RepoError(f'Can\'t pull from archives with mode "{mode}"')

    # their objects ----------------------------------------------------------------------------

    def run(self) -> PullResult:
        """The transaction: objects, then refs, then the marks of partial commits.

        Raises:
            OSTreeError: the first thing that went wrong; no ref has changed.
        """
        repo, options, result = self._repo, self._options, self._result
        checks = CommitChecks(repo, self._wanted, self._source.collection_id, options)
        with repo.transaction(
            fsync=options.fsync, per_object_fsync=options.per_object_fsync
        ) as transaction:
            planner = make_planner(repo, transaction, self._wanted, options, self._source.name)
            started = monotonic()
            deltas = self._find_deltas(transaction)
            with LocalCaches(
                options.localcache_repos,
                repo,
                transaction.charge,
                untrusted=options.untrusted,
                bare_user_only=options.bareuseronly_files,
            ) as caches:
                if options.dry_run:
                    transaction.withhold()
                    result.estimate = self._estimate(planner, checks, caches, deltas)
                    note_commits(self._wanted, result)
                    return result
                self._fetch(transaction, planner, checks, caches, deltas)
            result.seconds = int(monotonic() - started)
            set_refs(repo, transaction, self._wanted, options, self._source.name)
        finish(transaction, planner, self._wanted, options, result)
        return result

    def _find_deltas(self, transaction: Transaction) -> Deltas:
        """For the commits that deltas lead to their superblocks, in the order of application."""
        repo, options = self._repo, self._options
        if not may_use_deltas(repo, options):
            return {}
        # Half of what a pull imports is for deltas; many pulls use none.
        from ostree.transfer.delta_finder import DeltaFinder

        finder = DeltaFinder(
            repo,
            RepoFacts(repo, resumed=transaction.resumed),
            self._fetcher,
            self._source,
            options,
            None if self.summary is None else self.summary.summary,
            self._result,
            summary_known=self._summary_asked,
            digests_required=self._trust.demands_gpg_summary,
        )
        found = finder.find(delta_wishes(repo, self._wanted, self._source.name, options))
        check_deltas(repo, found)
        return found

    def _fetch(
        self,
        transaction: Transaction,
        planner: Planner,
        checks: CommitChecks,
        caches: LocalCaches,
        deltas: Deltas,
    ) -> None:
        """The object phase."""
        with WorkerPool(max(1, default_workers() - 1), backlog=_BACKLOG) as pool:
            engine = HttpEngine(
                self._repo,
                transaction,
                self._fetcher,
                pool,
                self._source,
                planner,
                self._options,
                self._result,
                checks,
                caches,
                self._trust,
                self._emit,
                deltas,
            )
            try:
                engine.run()
            finally:
                pool.close(discard=True)
                engine.close()

    def _estimate(
        self, planner: Planner, checks: CommitChecks, caches: LocalCaches, deltas: Deltas
    ) -> PullEstimate:
        """What the object phase would move."""
        from ostree.transfer.survey import PullEstimate, Survey
        from ostree.transfer.survey_sources import ServerSource

        repo = self._repo
        if self._options.require_static_deltas:  # they say all that is to be said
            return PullEstimate(estimate(repo, deltas), walked=False)
        server = ServerSource(self._fetcher, self._source)
        survey = Survey(repo, server, planner, checks, caches, self._trust, self._emit, deltas)
        return survey.run()
