"""The parts of a static delta on their way into the repository (static deltas §9.2)."""

from __future__ import annotations

from collections import deque

from ostree.errors import OSTreeError
from ostree.events import Message
from ostree.formats.delta.bsdiff import BsdiffMissingError, is_available
from ostree.net.fetcher import DELTA_PRIORITY, Request
from ostree.repo.static_delta.offline import check_part, check_version
from ostree.repo.static_delta.part_workers import PartWorkers
from ostree.system.closing import Closing
from ostree.transfer.remote import join_url
from ostree.transfer.spooled_sink import SpooledSink
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ostree.events import Listener
    from ostree.formats.delta.superblock import PartHeader, Superblock
    from ostree.net.fetcher import Fetcher, Response
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.system.workers import WorkerPool
    from ostree.transfer.delta_tally import DeltaTally
    from ostree.transfer.options import PullOptions, PullResult
    from ostree.transfer.remote import RemoteAccess
    from ostree.transfer.spooled_sink import OpenSpools
    from ostree.types import Checksum

    Buffer = bytes | memoryview

#: Parts that are fetched or wait to be executed, at most.
_MOST_AT_ONCE = 2


class DeltaDownload(Closing):
    """Fetches the parts of deltas and executes them one after the other.

    Two parts are fetched at a time; a part may be made of what one before it brought, so only one
    is executed, by a thread of the pool and other processes.  Everything is called by the thread
    that drives the fetcher.

    Args:
        repo: The destination.
        transaction: Open.
        fetcher: Where requests go.
        pool: Executes.
        remote: Where the parts are.
        result: Is counted in.
        superblocks: The deltas in order.
        tally: Is counted in.
        spools: Where parts wait while they arrive.
        options: How to pull.
        on_event: Is told if the deltas turn out to be of no use.
        check_tree: Is given dirtree objects that parts bring; on any thread.
        on_files: Is given files that are there now.
        on_done: Is called when there is nothing more to do.
        meanwhile: Is called once, while the first part is executed and nothing else is to be done.
    """

    def __init__(
        self,
        repo: Repo,
        transaction: Transaction,
        fetcher: Fetcher,
        pool: WorkerPool,
        remote: RemoteAccess,
        result: PullResult,
        superblocks: Sequence[Superblock],
        *,
        tally: DeltaTally,
        spools: OpenSpools,
        options: PullOptions,
        on_event: Listener,
        check_tree: Callable[[Checksum, bytes], None],
        on_files: Callable[[Iterable[Checksum]], None],
        on_done: Callable[[], None],
        meanwhile: Callable[[], None],
    ) -> None:
        self._repo = repo
        self._transaction = transaction
        self._fetcher = fetcher
        self._pool = pool
        self._base_url = remote.content_url
        self._result = result
        self._parts = _parts(superblocks)
        headers = [header for superblock in superblocks for header in superblock.parts]
        self._workers = PartWorkers(
            repo, transaction, headers, bare_user_only=options.bareuseronly_files
        )
        self._tally = tally
        self._spools = spools
        tally.request(superblocks)
        self._emit = on_event
        self._check_tree = check_tree
        self._on_files = on_files
        self._on_done = on_done
        self._meanwhile = meanwhile
        self._required = options.require_static_deltas
        self._waiting: deque[_Part] = deque()
        self._executing = False
        self._given_up = False

    def start(self) -> None:
        """Begin.

        Raises:
            FormatError: if a part is of a version that is not known.
        """
        self._advance()

    def _advance(self) -> None:
        """Ask for further parts, and execute the next one if it is there."""
        while len(self._waiting) < _MOST_AT_ONCE and not self._given_up:
            part = next(self._parts, None)
            if part is None:
                break
            check_version(part.header)
            if self._is_there(part.header):
                self._tally.done(part.header)
                continue
            self._waiting.append(part)
            self._workers.prepare(part.header)
            if part.file is None:
                self._fetch(part)
            else:
                self._tally.done(part.header)
        if self._waiting and not self._executing:
            part = self._waiting[0]
            if self._given_up:
                self._waiting.clear()
            elif part.file is not None:
                self._executing = True
                self._workers.prepare(part.header)
                self._pool.submit(self._job(part, part.file))
                is_available()  # imported here while that is decompressed
                meanwhile, self._meanwhile = self._meanwhile, _nothing
                meanwhile()
        if not self._waiting:
            self._finish()

    def close(self) -> None:
        """End the processes that execute parts, when no thread does any more."""
        self._workers.close()

    def _finish(self) -> None:
        self._workers.dismiss()
        on_done, self._on_done = self._on_done, _nothing
        on_done()

    def _is_there(self, header: PartHeader) -> bool:
        return all(self._repo.has_object(checksum, type) for type, checksum in header.each_name())

    def _fetch(self, part: _Part) -> None:
        sink = _PartBody(self, part, self._spools)
        request = Request(
            join_url(self._base_url, part.path),
            max_size=part.header.size,
            priority=DELTA_PRIORITY,
        )
        self._fetcher.submit(request, sink, sink.done)

    def arrived(self, part: _Part, file: Buffer) -> None:
        """A part is complete."""
        self._result.delta_parts += 1
        self._result.bytes_transferred += len(file)
        self._tally.done(part.header)
        check_part(part.header, file)
        part.file = file
        self._advance()

    def _job(self, part: _Part, file: Buffer) -> Callable[[], Callable[[], None]]:
        def execute() -> Callable[[], None]:
            try:
                count = self._workers.run(part.number, file, check_tree=self._check_tree)
            except BsdiffMissingError as error:
                if self._required:
                    raise
                return self._give_up(error)
            except OSTreeError as error:
                error.add_prefix(f"Executing delta part {part.path.rpartition('/')[2]}")
                raise
            return lambda: self._brought(part.header, count)

        return execute

    def _brought(self, header: PartHeader, count: int) -> None:
        """A part is done, and so many of its objects are there."""
        names = header.names()[:count]
        self._on_files(checksum for type, checksum in names if type is ObjectType.FILE)
        self._executed()

    def _executed(self) -> None:
        self._waiting.popleft()
        self._executing = False
        self._advance()

    def _give_up(self, error: OSTreeError) -> Callable[[], None]:
        """What the deltas would have brought is fetched object by object."""

        def drop() -> None:
            self._emit(Message(f"{error}; fetching objects instead", warning=True))
            self._given_up = True
            self._executed()

        return drop


class _Part:
    """A part that is needed.

    Attributes:
        number: Which one it is of all.
        path: Where it is, below the remote's base.
        header: Its entry in the superblock.
        file: Its bytes, once they are there.
    """

    __slots__ = ("file", "header", "number", "path")

    def __init__(self, number: int, path: str, header: PartHeader, file: Buffer | None) -> None:
        self.number = number
        self.path = path
        self.header = header
        self.file = file


class _PartBody(SpooledSink):
    """A part on its way."""

    __slots__ = ("_download", "_part")

    def __init__(self, download: DeltaDownload, part: _Part, spools: OpenSpools) -> None:
        super().__init__(spools, "static delta part")
        self._download = download
        self._part = part

    def done(self, outcome: Response | OSTreeError) -> None:
        """The request has ended."""
        if isinstance(outcome, OSTreeError):
            self.drop()
            raise outcome
        self._download.arrived(self._part, self.take())


def _parts(superblocks: Sequence[Superblock]) -> Iterator[_Part]:
    number = 0
    for superblock in superblocks:
        for index, header in enumerate(superblock.parts):
            inline = superblock.inline_part(index)
            yield _Part(number, superblock.name.part(index), header, inline)
            number += 1


def _nothing() -> None:
    """There is nothing left to do."""
