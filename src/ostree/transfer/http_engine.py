"""The object phase of a pull over HTTP: what the planner wants is fetched, verified and stored.

One thread drives the fetcher and the planner.  Many files are fetched and stored by forked
processes, and then this thread stores what it has fetched itself.  Where there can be none, bodies
of small files are kept in memory and given to worker threads by the batch, which inflate, hash and
store them; large files are stored while they arrive.  The bytes that wait for a worker are bounded:
beyond that nothing is read from the network, and the thread that would read helps.
"""

from __future__ import annotations

from time import monotonic

from ostree.errors import FormatError, OSTreeError
from ostree.events import CommitSigned, PullProgress
from ostree.net.fetcher import METADATA_PRIORITY, MemorySink, Request, is_not_found
from ostree.repo.signing import find_detached
from ostree.store.store import MAX_METADATA
from ostree.transfer.arrival import (
    MAX_DETACHED,
    decode_commit,
    decode_dirmeta,
    detached_in,
    require_checksum,
)
from ostree.transfer.content_flow import ContentFlow
from ostree.transfer.content_processes import TASK, ContentProcesses
from ostree.transfer.content_receiver import ContentReceiver
from ostree.transfer.delta_tally import DeltaTally
from ostree.transfer.plan import CommitStep, Step, TreeStep
from ostree.transfer.remote import join_url
from ostree.transfer.spooled_sink import OpenSpools, SpooledSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ostree.events import Listener
    from ostree.formats.commit import Commit
    from ostree.formats.delta.superblock import Superblock
    from ostree.net.fetcher import Fetcher, Response
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.sign.interface import Verdict
    from ostree.store.store import LooseStore
    from ostree.system.workers import WorkerPool
    from ostree.transfer.content_receiver import Receiver
    from ostree.transfer.delta_download import DeltaDownload
    from ostree.transfer.local_caches import LocalCaches
    from ostree.transfer.options import PullOptions, PullResult
    from ostree.transfer.plan import Planner
    from ostree.transfer.remote import RemoteAccess
    from ostree.transfer.trust import Trust
    from ostree.types import Checksum, ObjectType

    CheckCommit = Callable[[CommitStep, Commit], None]

#: Requests handed to the fetcher; it runs fewer at once, the rest keeps it busy between steps.
_WINDOW = 64
#: Bytes that may wait for workers before the network has to.
_MOST_HELD = 8 << 20
#: Seconds between looks at what other processes have done, while the network is silent.
_LOOK_EVERY = 0.1
#: Bytes of a metadata object, or of a part of a delta, that wait in memory; many may be under way.
_MOST_SPOOLED = 4 << 20


class HttpEngine:
    """The object phase of one pull.

    Args:
        repo: The destination.
        transaction: The open transaction to write through.
        fetcher: Driven by this engine until it is done.
        pool: Workers, used by this engine alone.
        remote: Where objects are.
        planner: Decides what is needed.
        options: How to pull.
        result: Is counted in.
        check_commit: Raises if a commit is not acceptable.
        caches: Asked for objects before the remote is.
        trust: Refuses commits that are not signed as they have to be.
        on_event: Is given progress.
        deltas: For commits that deltas lead to the superblocks, in the order of application.
    """

    def __init__(
        self,
        repo: Repo,
        transaction: Transaction,
        fetcher: Fetcher,
        pool: WorkerPool,
        remote: RemoteAccess,
        planner: Planner,
        options: PullOptions,
        result: PullResult,
        check_commit: CheckCommit,
        caches: LocalCaches,
        trust: Trust,
        on_event: Listener,
        deltas: Mapping[Checksum, Sequence[Superblock]],
    ) -> None:
        self._deltas = deltas
        self._downloads: list[DeltaDownload] = []
        self._tally = DeltaTally()
        self._repo = repo
        self._transaction = transaction
        self._fetcher = fetcher
        self._pool = pool
        self._remote = remote
        self._planner = planner
        self._result = result
        self._check_commit = check_commit
        self._trust = trust
        self._emit = on_event
        self._options = options
        self._interval = options.update_interval
        self._next_progress = 0.0
        self._objects_url = join_url(remote.content_url, "objects/")
        self._caches = caches
        self._spools = OpenSpools(repo.store.target.temporary_fd, most_held=_MOST_SPOOLED)
        receiver = _receiver(repo.store, transaction, options)
        self._processes = ContentProcesses(
            transaction,
            receiver,
            fetcher,
            self._objects_url,
            options.max_outstanding,
            result,
            # The parts of deltas are taken apart by threads, and the caches are asked here.
            wanted=not (deltas or caches),
        )
        self._content = ContentFlow(
            receiver, transaction, fetcher, pool, self._processes, self._objects_url, result
        )

    def run(self) -> None:
        """Fetch everything the planner asks for.

        Raises:
            OSTreeError: the first thing that went wrong.
        """
        fetcher, pool = self._fetcher, self._pool
        content, processes = self._content, self._processes
        pool.notify(fetcher.wake)
        while True:
            self._advance()
            pool.collect()
            outstanding = fetcher.outstanding()
            content.flush(force=not outstanding)
            if outstanding and content.held <= _MOST_HELD:
                fetcher.step(_LOOK_EVERY if processes.collect() else None)
            # The network has to wait, or there is nothing more to come from it.
            elif (
                not (content.help() or pool.collect(wait=True) or processes.collect(wait=True))
                and self._is_done()
            ):
                break
            self._report_progress()
        self._report_progress(final=True)

    def _is_done(self) -> bool:
        """Whether nothing is on its way, nor wanted: the end of a delta may have told of more."""
        planner = self._planner
        return not (self._fetcher.outstanding() or planner.metadata or planner.content)

    def close(self) -> None:
        """End the other processes and drop half-stored files; the workers must have ended."""
        self._processes.close()
        for download in self._downloads:
            download.close()
        self._content.close()
        self._spools.close()

    def _report_progress(self, *, final: bool = False) -> None:
        now = monotonic()
        if now < self._next_progress and not final:
            return
        self._next_progress = now + self._interval
        self._emit(
            PullProgress(
                fetched_metadata=self._result.metadata + self._result.cached_metadata,
                fetched_content=self._result.content + self._result.cached_content,
                requested_metadata=self._planner.requested_metadata + self._result.unplanned,
                requested_content=self._planner.requested_content,
                bytes_transferred=self._result.bytes_transferred,
                scanning=self._planner.scanning,
                fetched_delta_parts=self._tally.parts,
                requested_delta_parts=self._tally.requested_parts,
                delta_bytes=self._tally.size,
                requested_delta_bytes=self._tally.requested_size,
            )
        )

    def _advance(self) -> None:
        """Take the planner's steps: metadata first, for it tells what else there is."""
        planner = self._planner
        while planner.metadata:
            step = planner.metadata.popleft()
            if not step.present:
                self._fetch_metadata(step)
            elif isinstance(step, TreeStep):
                if not planner.tree_known(step):
                    self._tree_arrived(step, planner.facts.tree(step.checksum))
            elif isinstance(step, CommitStep):
                self._fetch_detached(step)
        self._want_content()

    def _want_content(self) -> None:
        """Ask for files: first other processes, then the server."""
        content, wanted, processes = self._content, self._planner.content, self._processes
        while (checksum := processes.take_undone()) is not None:
            content.fetch(checksum)
        while wanted:
            if processes.hand_out(wanted):
                continue
            if content.fetching >= _WINDOW:
                break
            for _ in range(min(TASK, len(wanted))):
                checksum = wanted.popleft()
                if not (self._caches and self._copy_content(checksum)):
                    content.fetch(checksum)

    # metadata ---------------------------------------------------------------------------------

    def _url(self, checksum: Checksum, type: ObjectType) -> str:
        return f"{self._objects_url}{checksum[:2]}/{checksum[2:]}.{type.extension}"

    def _fetch_metadata(self, step: Step) -> None:
        if self._caches and self._copy_metadata(step):
            return
        if isinstance(step, CommitStep):
            self._fetch_detached(step)
        else:
            self._submit_metadata(step, MAX_METADATA)

    def _submit_metadata(self, step: Step, limit: int) -> None:
        fetch = _MetadataBody(self, step, self._spools)
        # Commits first: while they are on their way, their detached metadata is kept in memory.
        first = isinstance(step, CommitStep)
        request = Request(
            self._url(step.checksum, step.type),
            max_size=limit,
            resumable=True,
            priority=METADATA_PRIORITY - 1 if first else METADATA_PRIORITY,
        )
        self._fetcher.submit(request, fetch, fetch.done)

    def _fetch_detached(self, step: CommitStep) -> None:
        """Detached metadata comes before the commit, whose signatures it may hold."""
        path = f"objects/{step.checksum[:2]}/{step.checksum[2:]}.commitmeta"
        url = join_url(self._remote.meta_url, path)
        fetch = _DetachedBody(self, step)
        self._fetcher.submit(Request(url, max_size=MAX_DETACHED), fetch, fetch.done)

    def detached_arrived(self, step: CommitStep, data: bytes | None) -> None:
        """The detached metadata of a commit is there, or there is none."""
        superblocks = self._deltas.get(step.checksum)
        if data is not None:
            self._result.metadata += 1
            self._result.unplanned += 1
            self._result.bytes_transferred += len(data)
        elif superblocks and not step.present:
            data = detached_in(superblocks[-1])
        if step.present:
            if self._trust.demands_commit:
                commit = self._repo.load_metadata(step.checksum, step.type)
                known = data if data is not None else find_detached(self._repo, step.checksum)
                self._check_stored(step, commit, known)
            if data is not None:
                self._transaction.write_detached(step.checksum, data)
            self._present(step)
            return
        step.detached = data
        if superblocks:
            require_checksum(step.checksum, step.type, superblocks[-1].commit)
            self._store_commit(step, superblocks[-1].commit)
            return
        limit = MAX_METADATA if step.max_size is None else min(step.max_size, MAX_METADATA)
        self._submit_metadata(step, limit)

    def _present(self, step: CommitStep) -> None:
        """A commit is there."""
        commit = self._repo.load_commit(step.checksum)
        self._check_commit(step, commit)
        self._commit_ready(step, commit)

    def _check_stored(self, step: CommitStep, commit: bytes, detached: bytes | None) -> None:
        """A commit that is here, or in a cache, has to be signed as one that comes."""
        self._signed(step, self._trust.check_stored(step.checksum, commit, detached))

    def _signed(self, step: CommitStep, verdict: Verdict | None) -> None:
        if verdict is not None:
            self._emit(CommitSigned(step.checksum, verdict.descriptions))

    def metadata_arrived(self, step: Step, body: bytes | memoryview) -> None:
        """The bytes of an object are there: verify, store, tell the planner."""
        self._result.metadata += 1
        self._result.bytes_transferred += len(body)
        require_checksum(step.checksum, step.type, body)
        data = bytes(body)
        if isinstance(step, TreeStep):
            self._tree_arrived(step, data)
            self._put(step, data)
        elif isinstance(step, CommitStep):
            self._store_commit(step, data)
        else:
            decode_dirmeta(step.checksum, data)
            self._put(step, data)
            self._planner.dirmeta_arrived()

    def _tree_arrived(self, step: TreeStep, data: bytes) -> None:
        """A directory is there, or is stored if it is one."""
        try:
            self._planner.tree_arrived(step, data)
        except FormatError as error:
            error.add_prefix(f"{step.checksum}.dirtree")
            raise

    def _store_commit(self, step: CommitStep, data: bytes) -> None:
        detached, step.detached = step.detached, None
        self._signed(step, self._trust.check_fetched(step.checksum, data, detached))
        commit = decode_commit(step.checksum, data)
        self._transaction.mark_partial(step.checksum)
        if detached is not None:
            self._transaction.write_detached(step.checksum, detached)
        self._put(step, data)
        self._check_commit(step, commit)
        self._commit_ready(step, commit)

    def _commit_ready(self, step: CommitStep, commit: Commit) -> None:
        """A commit is there and acceptable: its deltas come next, or else its tree."""
        superblocks = self._deltas.get(step.checksum)
        if not superblocks or step.complete:
            self._planner.commit_arrived(step, commit)
            return
        from ostree.transfer.delta_download import DeltaDownload

        facts = self._planner.facts
        source = superblocks[0].name.source
        if source is not None:
            step.base = self._repo.load_commit(source).root.dirtree
        download = DeltaDownload(
            self._repo,
            self._transaction,
            self._fetcher,
            self._pool,
            self._remote,
            self._result,
            superblocks,
            tally=self._tally,
            spools=self._spools,
            options=self._options,
            on_event=self._emit,
            check_tree=facts.check_tree,
            on_files=self._planner.note_present,
            # What the deltas have left out is found then, and fetched.
            on_done=lambda: self._planner.commit_arrived(step, commit),
            meanwhile=lambda: facts.read_ahead(step.base) if step.base is not None else None,
        )
        self._downloads.append(download)
        download.start()

    def _put(self, step: Step, data: bytes) -> None:
        stats = self._transaction.stats
        stats.metadata_total += 1
        try:
            if self._repo.store.add_metadata(step.checksum, step.type, data):
                stats.metadata_written += 1
        except OSError as error:
            from ostree.repo.object_errors import write_error

            raise write_error("Writing metadata object", error) from error

    # objects at hand --------------------------------------------------------------------------

    def _copy_metadata(self, step: Step) -> bool:
        """Take a metadata object from a cache, if one has it."""
        if isinstance(step, CommitStep):
            self._copy_signatures(step)
        is_new = self._caches.import_metadata(step.checksum, step.type)
        if is_new is None:
            return False
        stats = self._transaction.stats
        stats.metadata_total += 1
        stats.metadata_written += is_new
        self._result.cached_metadata += 1
        if isinstance(step, CommitStep):
            self._present(step)
        elif isinstance(step, TreeStep):
            self._tree_arrived(step, self._planner.facts.tree(step.checksum))
        else:
            self._planner.dirmeta_arrived()
        return True

    def _copy_signatures(self, step: CommitStep) -> None:
        """Prepare for a commit from a cache, if one has it: it is not trusted more than others."""
        found = self._caches.commit(step.checksum)
        if found is None:
            return
        commit, detached = found
        self._check_stored(step, commit, detached)
        self._transaction.mark_partial(step.checksum)
        if detached is not None:
            self._result.cached_metadata += 1
            self._transaction.write_detached(step.checksum, detached)

    def _copy_content(self, checksum: Checksum) -> bool:
        """Take a file object from a cache, if one has it."""
        outcome = self._caches.import_content(checksum)
        if outcome is None:
            return False
        is_new, size = outcome
        self._result.cached_content += 1
        self._transaction.count_content(int(is_new), size)
        return True

    def metadata_failed(self, step: Step, error: OSTreeError) -> None:
        """An object did not come, which only a parent need not."""
        if isinstance(step, CommitStep) and step.optional and is_not_found(error):
            self._planner.commit_missing(step)
            return
        raise error


class _DetachedBody(MemorySink):
    """A ``.commitmeta`` on its way."""

    __slots__ = ("_engine", "_step")

    def __init__(self, engine: HttpEngine, step: CommitStep) -> None:
        super().__init__()
        self._engine = engine
        self._step = step

    def done(self, outcome: Response | OSTreeError) -> None:
        """The request has ended."""
        if not isinstance(outcome, OSTreeError):
            self._engine.detached_arrived(self._step, self.value())
        elif is_not_found(outcome):
            self._engine.detached_arrived(self._step, None)
        else:
            raise outcome


class _MetadataBody(SpooledSink):
    """A metadata object on its way."""

    __slots__ = ("_engine", "_step")

    def __init__(self, engine: HttpEngine, step: Step, spools: OpenSpools) -> None:
        super().__init__(spools, "metadata object")
        self._engine = engine
        self._step = step

    def done(self, outcome: Response | OSTreeError) -> None:
        """The request has ended."""
        if isinstance(outcome, OSTreeError):
            self.drop()
            self._engine.metadata_failed(self._step, outcome)
        else:
            self._engine.metadata_arrived(self._step, self.take())


def _receiver(store: LooseStore, transaction: Transaction, options: PullOptions) -> Receiver:
    """Who stores file objects: it verifies them, unless they are mirrored from a trusted server."""
    from ostree.store.archive import ArchiveStore

    believes = options.http_trusted and options.mirror and not options.bareuseronly_files
    if believes and isinstance(store, ArchiveStore):
        from ostree.transfer.trusted_receiver import TrustedReceiver

        return TrustedReceiver(store, transaction.charge)
    return ContentReceiver(store, transaction.charge, bare_user_only=options.bareuseronly_files)
