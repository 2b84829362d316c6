"""Pulling from a repository on the same machine."""

from __future__ import annotations

from array import array
from contextlib import suppress
from functools import partial
from time import monotonic

from ostree.errors import NotFoundError, OSTreeError, RefNotFoundError, RepoError
from ostree.events import CommitSigned, PullProgress, ignore
from ostree.formats import summary as summary_format
from ostree.repo.repository import Repo
from ostree.repo.signing import find_detached
from ostree.system import files
from ostree.system.worker_processes import LARGE_FILE, one_by_one
from ostree.system.workers import WorkerPool
from ostree.transfer.demands import local_trust
from ostree.transfer.destination import (
    finish,
    keep_summary,
    make_planner,
    note_commits,
    set_refs,
)
from ostree.transfer.object_import import ObjectImporter
from ostree.transfer.options import PullOptions, PullResult
from ostree.transfer.plan import CommitStep, TreeStep
from ostree.transfer.remote_summary import MAX_SIGNATURES, MAX_SUMMARY, MAX_SUMMARY_METADATA
from ostree.transfer.trust import WHEN_PULLING
from ostree.transfer.wanted import (
    CommitChecks,
    Wanted,
    add_all,
    collection_wanted,
    parse_wanted,
    resolve_by_summary,
)
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from ostree.events import Listener
    from ostree.formats.commit import Commit
    from ostree.repo.transaction import Transaction
    from ostree.system.worker_processes import WorkerProcesses
    from ostree.transfer.plan import Planner, Step
    from ostree.transfer.remote import RemoteAccess
    from ostree.transfer.trust import Trust

    CheckCommit = Callable[[CommitStep, Commit], None]

#: Files imported between two looks at the time, and by another process between two answers.
_BATCH, _TASK = 64, 16
#: Large files waiting for a worker, at most.
_BACKLOG = 32


def pull_local(
    repo: Repo,
    source_path: str | os.PathLike[str],
    refs: Sequence[str] = (),
    options: PullOptions | None = None,
    on_event: Listener | None = None,
) -> PullResult:
    """Import commits from a repository in a directory and point refs at them.

    Args:
        repo: The destination.
        source_path: The other repository.
        refs: Each a ref name, ``REF@CHECKSUM`` or a checksum; every ref of the source if empty.
        options: How to pull; with ``override_remote_name``, refs are written as if they came
            from that remote.  Signatures are looked at only where it asks for it.
        on_event: Is given :class:`~ostree.events.PullProgress`.

    Returns:
        What was done.

    Raises:
        OSTreeError: naming what went wrong.  No ref has changed.
    """
    options = options or PullOptions()
    repo.require_writable()
    trust = local_trust(repo, options)
    if options.require_static_deltas:
        return _pull_as_remote(repo, source_path, refs, options, on_event)
    with Repo.open(source_path) as source:
        wanted = collection_wanted(options.collection_refs)
        wanted += parse_wanted(refs or (() if wanted else source.refs.all()))
        _resolve(wanted, source, trust, everything=False)
        return _pull_objects(
            repo,
            source,
            wanted,
            options,
            trust,
            on_event or ignore,
            remote_name=None,
            collection=source.config.collection_id,
        )


def _pull_as_remote(
    repo: Repo,
    source_path: str | os.PathLike[str],
    refs: Sequence[str],
    options: PullOptions,
    on_event: Listener | None,
) -> PullResult:
    """Fetch from a directory as from a server, which is how static deltas are used."""
    from urllib.parse import quote

    from ostree.formats.keyfile import KeyFile
    from ostree.repo.remotes import Remote, group_name
    from ostree.transfer.pull import pull

    with Repo.open(source_path) as source:
        keyfile = KeyFile()
        keyfile.set_string(group_name(""), "url", f"file://{quote(source.path)}")
        keyfile.set_string(group_name(""), "gpg-verify", "false")
        if not refs and not options.collection_refs:
            refs = list(source.refs.all())
    return pull(repo, Remote("", keyfile), refs, options, on_event)


def pull_directory(
    repo: Repo,
    access: RemoteAccess,
    wanted: list[Wanted],
    options: PullOptions,
    trust: Trust,
    on_event: Listener,
    *,
    everything: bool,
) -> PullResult:
    """Pull from a configured ``file://`` remote; see :func:`ostree.transfer.pull.pull`."""
    with Repo.open(access.local_path or "/") as source:
        summary = _resolve(wanted, source, trust, everything=everything and options.mirror)
        result = _pull_objects(
            repo,
            source,
            wanted,
            options,
            trust,
            on_event,
            remote_name=access.name,
            collection=source.config.collection_id,
        )
        keeps_summary = everything and options.mirror and not access.branches
        if keeps_summary and summary is not None and not options.dry_run:
            keep_summary(repo, summary, _read_optional(source, "summary.sig"))
        return result


def _resolve(wanted: list[Wanted], source: Repo, trust: Trust, *, everything: bool) -> bytes | None:
    """Find out which commits are wanted; a summary decides where there is one (§4.9)."""
    data = _read_optional(source, "summary")
    if everything or any(item.checksum is None for item in wanted):
        signature = _read_optional(source, "summary.sig", MAX_SIGNATURES)
        trust.check_summary(data, signature, WHEN_PULLING)
    if data is None:
        if everything and not wanted:
            raise NotFoundError(
                "Fetching all refs was requested in mirror mode, "
                "but remote repository does not have a summary"
            )
        for item in wanted:
            if item.checksum is None and item.ref is not None:
                item.checksum = _resolve_ref(source, item.ref, item.collection)
        return None
    if everything or any(item.checksum is None for item in wanted):
        summary = summary_format.decode(data, most_metadata=MAX_SUMMARY_METADATA)
        if everything:
            add_all(wanted, summary)
        resolve_by_summary(wanted, summary)
    return data


def _resolve_ref(source: Repo, ref: str, collection: str | None) -> Checksum:
    """What a ref of a repository without summary points to."""
    if collection in (None, source.config.collection_id):
        return source.resolve(ref)
    from ostree.repo.collections import collection_refs

    value = collection_refs(source).get((collection or "", ref))
    if value is None:
        raise RefNotFoundError(f"Refspec ({collection}, {ref}) not found")
    return Checksum(value)


def _read_optional(source: Repo, name: str, limit: int = MAX_SUMMARY) -> bytes | None:
    try:
        return files.read_file(name, source.dir_fd, limit=limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RepoError(files.describe(f"openat({name})", error)) from error


def _pull_objects(
    repo: Repo,
    source: Repo,
    wanted: list[Wanted],
    options: PullOptions,
    trust: Trust,
    on_event: Listener,
    *,
    remote_name: str | None,
    collection: str | None,
) -> PullResult:
    """The transaction: objects, then refs, then the marks of partial commits."""
    result = PullResult(local=True)
    checks = CommitChecks(repo, wanted, collection, options)
    started = monotonic()
    with repo.transaction(
        fsync=options.fsync, per_object_fsync=options.per_object_fsync
    ) as transaction:
        planner = make_planner(repo, transaction, wanted, options, remote_name, asks_first=True)
        if options.dry_run:
            from ostree.transfer.survey import Survey
            from ostree.transfer.survey_sources import DirectorySource

            transaction.withhold()
            directory = DirectorySource(source)
            survey = Survey(repo, directory, planner, checks, None, trust, on_event, {})
            result.estimate = survey.run()
            note_commits(wanted, result)
            return result
        with WorkerPool(backlog=_BACKLOG) as pool:
            LocalEngine(
                repo, source, transaction, pool, planner, options, result, checks, trust, on_event
            ).run()
        set_refs(repo, transaction, wanted, options, remote_name)
    result.seconds = int(monotonic() - started)
    finish(transaction, planner, wanted, options, result)
    return result


class LocalEngine:
    """The object phase of one pull from a directory.

    Args:
        repo: The destination.
        source: Where objects are.
        transaction: The open transaction to write through.
        pool: Workers, used by this engine alone.
        planner: Decides what is needed.
        options: How to pull.
        result: Is counted in.
        check_commit: Raises if a commit is not acceptable.
        trust: Refuses commits that are not signed as they have to be.
        on_event: Is given progress.
    """

    def __init__(
        self,
        repo: Repo,
        source: Repo,
        transaction: Transaction,
        pool: WorkerPool,
        planner: Planner,
        options: PullOptions,
        result: PullResult,
        check_commit: CheckCommit,
        trust: Trust,
        on_event: Listener,
    ) -> None:
        self._repo = repo
        self._source = source
        self._transaction = transaction
        self._pool = pool
        self._planner = planner
        self._result = result
        self._check_commit = check_commit
        self._trust = trust
        self._emit = on_event
        self._interval = options.update_interval
        self._next_progress = 0.0
        self._small = repo.store.properties.inline_limit
        self.importer = ObjectImporter(
            source,
            repo,
            transaction.charge,
            untrusted=options.untrusted,
            bare_user_only=options.bareuseronly_files,
        )

    def run(self) -> None:
        """Import everything the planner asks for.

        Raises:
            OSTreeError: the first thing that went wrong.
        """
        planner = self._planner
        with self._transaction.processes(one_by_one(self._work)) as processes:
            while planner.metadata:
                self._take(planner.metadata.popleft())
                if len(planner.content) >= _BATCH:
                    self._import_content(processes)
            self._import_content(processes)
            processes.drain()
        self._pool.drain()
        self._report_progress(final=True)

    def _take(self, step: Step) -> None:
        if isinstance(step, CommitStep):
            self._take_commit(step)
            return
        if not step.present:
            self._import_metadata(step)
        if isinstance(step, TreeStep):
            try:
                self._planner.tree_arrived(step, self._planner.facts.tree(step.checksum))
            except OSTreeError as error:
                error.add_prefix(f"Validating dirtree {step.checksum} ({step.path})")
                raise
        else:
            self._planner.dirmeta_arrived()

    def _take_commit(self, step: CommitStep) -> None:
        there = self._source.has_object(step.checksum, ObjectType.COMMIT)
        if not step.present and not there and step.optional:
            self._import_tombstone(step.checksum)
            self._planner.commit_missing(step)
            return
        detached = find_detached(self._source, step.checksum) if there else None
        if there or step.present:
            self._check_signed(step, detached)
        if detached is not None:
            self._transaction.write_detached(step.checksum, detached)
        if not step.present:
            self._transaction.mark_partial(step.checksum)
            self._import_metadata(step)
        commit = self._repo.load_commit(step.checksum)
        self._check_commit(step, commit)
        self._planner.commit_arrived(step, commit)

    def _check_signed(self, step: CommitStep, detached: bytes | None) -> None:
        """Before anything of a commit is imported it has to be signed, if that is demanded."""
        if not self._trust.demands_commit:
            return
        holder = self._repo if step.present else self._source
        commit = holder.load_metadata(step.checksum, ObjectType.COMMIT)
        if detached is None:
            detached = find_detached(self._repo, step.checksum)
        verdict = self._trust.check_stored(step.checksum, commit, detached)
        if verdict is not None:
            self._emit(CommitSigned(step.checksum, verdict.descriptions))

    def _import_tombstone(self, commit: Checksum) -> None:
        kind = ObjectType.TOMBSTONE_COMMIT
        if self._source.config.tombstones and self._source.has_object(commit, kind):
            self.importer.metadata(commit, kind)

    def _import_metadata(self, step: Step) -> None:
        stats = self._transaction.stats
        stats.metadata_total += 1
        if self.importer.metadata(step.checksum, step.type):
            stats.metadata_written += 1
        self._result.metadata += 1

    def _import_content(self, processes: WorkerProcesses) -> None:
        """Import the files known to be needed, here what no other process has room for."""
        content = self._planner.content
        hands_out = not self.importer.only_links
        while content:
            batch = [content.popleft() for _ in range(min(_TASK, len(content)))]
            task = b"".join(map(bytes.fromhex, batch))
            if not (hands_out and processes.hand_out(task, partial(self._settle, batch))):
                self._import_here(self._without_large(batch, processes), alone=processes.possible)
            self._report_progress()
        self._pool.collect()

    def _without_large(
        self, checksums: list[Checksum], processes: WorkerProcesses
    ) -> list[Checksum]:
        """Those files that are not given to another process, as the first large ones are at once."""
        importer = self.importer
        if importer.only_links or not processes.possible or processes.started:
            return checksums

        def is_given(checksum: Checksum) -> bool:
            if importer.stored_size(checksum) <= LARGE_FILE:
                return False
            task, settle = bytes.fromhex(checksum), partial(self._settle, [checksum])
            return processes.hand_out(task, settle, large=True)

        return [checksum for checksum in checksums if not is_given(checksum)]

    def _import_here(self, checksums: list[Checksum], *, alone: bool) -> None:
        """Import files: small ones at once, large ones on the workers, unless others are busy."""
        importer = self.importer
        inline = _Batch(self)
        for checksum in checksums:
            if alone or importer.only_links or importer.stored_size(checksum) <= self._small:
                inline.checksums.append(checksum)
            else:
                # A thread for each of the small ones would spend its time waiting for the others.
                self._pool.submit(_Batch(self, checksum).store)
        inline.store()()

    def _work(self, task: bytes) -> bytes:
        """In another process: import files, and tell the size of each that is done.

        It is one more than the bytes of the content, and 0 for what is not new.
        """
        told = array("Q")
        with suppress(OSTreeError, OSError):  # met again where they can be told
            for at in range(0, len(task), 32):
                is_new, size = self.importer.content(Checksum.of_digest(task[at : at + 32]))
                told.append(size + 1 if is_new else 0)
        return told.tobytes()

    def _settle(self, checksums: list[Checksum], reply: bytes | None) -> None:
        """Count what another process has imported, and do what it could not."""
        told = memoryview(reply or b"").cast("Q")
        batch = _Batch(self, *checksums[: len(told)])
        batch.written = sum(size > 0 for size in told)
        batch.plain = sum(told) - batch.written
        self.batch_stored(batch)
        if len(told) < len(checksums):
            self._import_here(checksums[len(told) :], alone=True)

    def batch_stored(self, batch: _Batch) -> None:
        """A batch of content objects is in the destination."""
        self._result.content += len(batch.checksums)
        self._transaction.count_content(batch.written, batch.plain, len(batch.checksums))

    def _report_progress(self, *, final: bool = False) -> None:
        now = monotonic()
        if now < self._next_progress and not final:
            return
        self._next_progress = now + self._interval
        self._emit(
            PullProgress(
                fetched_metadata=self._result.metadata,
                fetched_content=self._result.content,
                requested_metadata=self._planner.requested_metadata,
                requested_content=self._planner.requested_content,
                bytes_transferred=0,
                scanning=self._planner.scanning,
            )
        )


class _Batch:
    """Content objects that are imported one after the other."""

    __slots__ = ("_engine", "checksums", "plain", "written")

    def __init__(self, engine: LocalEngine, *checksums: Checksum) -> None:
        self._engine = engine
        self.checksums = list(checksums)
        self.written = 0
        self.plain = 0

    def store(self) -> Callable[[], None]:
        """Import them; what it returns is for the owner's thread."""
        import_content = self._engine.importer.content
        for checksum in self.checksums:
            is_new, size = import_content(checksum)
            if is_new:
                self.written += 1
                self.plain += size
        return self._stored

    def _stored(self) -> None:
        self._engine.batch_stored(self)
