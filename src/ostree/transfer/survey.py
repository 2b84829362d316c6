"""What a pull would move, found out without moving it (``pull --dry-run``).

The planner is that of a pull.  What tells what else is needed, commits and directories, has to be
fetched; it is verified as a pull would, read and forgotten.  Files are only counted.  How large
they are is known where the source is a directory or the commit tells (``ostree.sizes``).
"""

from __future__ import annotations

from functools import partial

from ostree.errors import FormatError, OSTreeError
from ostree.events import CommitSigned
from ostree.formats import sizes
from ostree.repo.signing import find_detached
from ostree.transfer.arrival import (
    decode_commit,
    decode_dirmeta,
    detached_in,
    require_checksum,
)
from ostree.transfer.delta_use import estimate
from ostree.transfer.plan import CommitStep, Step, TreeStep
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ostree.events import Listener
    from ostree.formats.commit import Commit
    from ostree.formats.delta.superblock import Superblock
    from ostree.repo.repository import Repo
    from ostree.transfer.delta_use import DeltaEstimate
    from ostree.transfer.local_caches import LocalCaches
    from ostree.transfer.plan import Planner
    from ostree.transfer.trust import Trust
    from ostree.types import Checksum

    CheckCommit = Callable[[CommitStep, Commit], None]
    #: Is given the bytes of an object, None if the source does not have it.
    Then = Callable[[bytes | None], None]


class PullEstimate:
    """What a pull would move.

    Attributes:
        metadata: Commits and directories that are missing, and detached metadata.
        metadata_size: Their bytes.
        content: Files that are missing.
        content_size: Bytes to transfer for those whose size is known.
        content_plain_size: The bytes of these files themselves.
        content_unknown: For how many files the size is not known.
        cached_metadata: Metadata objects that would come from other repositories of this machine.
        cached_content: Files that would.
        deltas: What static deltas would transfer, None if none would be used.
        walked: Whether commits were followed; otherwise the deltas are all that was looked at.
    """

    __slots__ = (
        "cached_content",
        "cached_metadata",
        "content",
        "content_plain_size",
        "content_size",
        "content_unknown",
        "deltas",
        "metadata",
        "metadata_size",
        "walked",
    )

    def __init__(self, deltas: DeltaEstimate | None, *, walked: bool) -> None:
        self.metadata = 0
        self.metadata_size = 0
        self.content = 0
        self.content_size = 0
        self.content_plain_size = 0
        self.content_unknown = 0
        self.cached_metadata = 0
        self.cached_content = 0
        self.deltas = deltas
        self.walked = walked


class Source:
    """Where objects would come from."""

    def detached(self, commit: Checksum, then: Then) -> None:
        """Look for the detached metadata of a commit."""
        raise NotImplementedError

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        raise NotImplementedError

    def metadata(self, step: Step, then: Then) -> None:
        """Get a metadata object; only an optional commit may be missing.

        Raises:
            OSTreeError: if it is not to be had; this may come from :meth:`wait` as well.
        """
        raise NotImplementedError

    def content_size(self, checksum: Checksum) -> tuple[int, int] | None:
        """Bytes to transfer and bytes of the file, None if the source cannot tell."""
        raise NotImplementedError

    def wait(self) -> bool:
        """Wait for something that was asked for; whether anything was."""
        raise NotImplementedError


class Survey:
    """Follows a pull's plan, and counts.

    Args:
        repo: The destination; a transaction is open, which publishes nothing.
        source: Is asked for metadata.
        planner: Has been told what is wanted.
        check_commit: Raises if a commit is not acceptable.
        caches: Would be asked for objects first; None without any.
        trust: Refuses commits that are not signed as they have to be.
        on_event: Is told of signatures.
        deltas: For commits that deltas lead to the superblocks; they bring the whole of a commit.
    """

    def __init__(
        self,
        repo: Repo,
        source: Source,
        planner: Planner,
        check_commit: CheckCommit,
        caches: LocalCaches | None,
        trust: Trust,
        on_event: Listener,
        deltas: Mapping[Checksum, Sequence[Superblock]],
    ) -> None:
        self._repo = repo
        self._source = source
        self._planner = planner
        self._check_commit = check_commit
        self._caches = caches
        self._trust = trust
        self._emit = on_event
        self._deltas = deltas
        self._sizes: dict[Checksum, tuple[int, int]] = {}
        self._found = PullEstimate(estimate(repo, deltas) if deltas else None, walked=True)

    def run(self) -> PullEstimate:
        """Find out.

        Raises:
            OSTreeError: for what would keep a pull from getting as far as the files.
        """
        planner, source = self._planner, self._source
        while True:
            while planner.metadata:
                self._take(planner.metadata.popleft())
            while planner.content:
                self._count_content(planner.content.popleft())
            if not source.wait() and not planner.metadata:
                return self._found

    def _take(self, step: Step) -> None:
        if isinstance(step, CommitStep):
            if not self._take_cached_commit(step):
                self._source.detached(step.checksum, partial(self._detached_came, step))
            return
        if step.present:
            data: bytes | None = self._repo.load_metadata(step.checksum, step.type)
        else:
            data = self._cached(step)
        if data is None:
            self._source.metadata(step, partial(self._came, step))
        else:
            self._read(step, data)

    # commits ----------------------------------------------------------------------------------

    def _take_cached_commit(self, step: CommitStep) -> bool:
        if step.present or self._caches is None:
            return False
        cached = self._caches.commit(step.checksum)
        if cached is None:
            return False
        commit, detached = cached
        self._found.cached_metadata += 1 if detached is None else 2
        self._signed(step, commit, detached, stored=True)
        self._read_commit(step, commit)
        return True

    def _detached_came(self, step: CommitStep, detached: bytes | None) -> None:
        if detached is not None and not self._source.is_local:
            self._count(detached)
        superblocks = self._deltas.get(step.checksum)
        if step.present:
            commit = self._repo.load_metadata(step.checksum, step.type)
            if detached is None and self._trust.demands_commit:
                detached = find_detached(self._repo, step.checksum)
        elif superblocks:
            commit = superblocks[-1].commit
            require_checksum(step.checksum, step.type, commit)
            if detached is None:
                detached = detached_in(superblocks[-1])
        else:
            step.detached = detached
            self._source.metadata(step, partial(self._came, step))
            return
        self._signed(step, commit, detached, stored=step.present)
        # What a delta brings is not walked through: its directories are in its parts.
        step.complete = step.complete or bool(superblocks)
        self._read_commit(step, commit)

    def _signed(
        self, step: CommitStep, commit: bytes, detached: bytes | None, *, stored: bool
    ) -> None:
        """Refuse a commit that is not signed as it has to be, in the words of a pull."""
        if not self._trust.demands_commit:
            return
        check = self._trust.check_stored if stored else self._trust.check_fetched
        verdict = check(step.checksum, commit, detached)
        if verdict is not None:
            self._emit(CommitSigned(step.checksum, verdict.descriptions))

    def _read_commit(self, step: CommitStep, data: bytes) -> None:
        commit = decode_commit(step.checksum, data)
        self._check_commit(step, commit)
        self._learn_sizes(commit)
        self._planner.commit_arrived(step, commit)

    def _learn_sizes(self, commit: Commit) -> None:
        """Sizes are only told, so that wrong ones do no harm; garbled ones tell nothing."""
        try:
            entries = commit.metadata_value("ostree.sizes", "aay") or ()
            for size in map(sizes.decode_entry, entries):
                if size.type is ObjectType.FILE:
                    self._sizes[size.checksum] = (size.archived, size.unpacked)
        except FormatError:
            return

    # other objects ----------------------------------------------------------------------------

    def _cached(self, step: Step) -> bytes | None:
        data = self._caches.metadata(step.checksum, step.type) if self._caches else None
        if data is not None:
            self._found.cached_metadata += 1
        return data

    def _came(self, step: Step, data: bytes | None) -> None:
        if data is None:
            if not isinstance(step, CommitStep):
                raise OSTreeError(f"{step.checksum}.{step.type.extension} is missing")
            self._planner.commit_missing(step)
            return
        require_checksum(step.checksum, step.type, data)
        self._count(data)
        if isinstance(step, CommitStep):
            detached, step.detached = step.detached, None
            self._signed(step, data, detached, stored=self._source.is_local)
            self._read_commit(step, data)
        else:
            self._read(step, data)

    def _read(self, step: Step, data: bytes) -> None:
        if isinstance(step, TreeStep):
            try:
                self._planner.tree_arrived(step, data)
            except FormatError as error:
                error.add_prefix(f"{step.checksum}.dirtree")
                raise
        else:
            decode_dirmeta(step.checksum, data)
            self._planner.dirmeta_arrived()

    def _count(self, data: bytes) -> None:
        self._found.metadata += 1
        self._found.metadata_size += len(data)

    def _count_content(self, checksum: Checksum) -> None:
        found = self._found
        if self._caches is not None and self._caches.has_content(checksum):
            found.cached_content += 1
            return
        found.content += 1
        known = self._source.content_size(checksum) or self._sizes.get(checksum)
        if known is None:
            found.content_unknown += 1
        else:
            found.content_size += known[0]
            found.content_plain_size += known[1]
