"""Bodies of file objects on their way from the fetcher through the workers into the store."""

from __future__ import annotations

from collections import deque

from ostree.errors import OSTreeError
from ostree.net.fetcher import CONTENT_PRIORITY, Request, Sink
from ostree.store.layout import loose_path
from ostree.transfer.content_receiver import SMALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.net.fetcher import Fetcher, Response
    from ostree.repo.transaction import Transaction
    from ostree.system.workers import WorkerPool
    from ostree.transfer.content_processes import ContentProcesses
    from ostree.transfer.content_receiver import Receiver
    from ostree.transfer.options import PullResult
    from ostree.types import Checksum

#: Most files, and about how many of their bytes, that a worker is given at once.
_BATCH = 24
_BATCH_BYTES = 1 << 19
#: Jobs given to the workers at a time; more would only keep others from them.
_MOST_JOBS = 3


class ContentFlow:
    """Fetches and stores file objects; used by the thread that drives the fetcher.

    Attributes:
        fetching: Objects asked for whose last byte has not come yet.
        held: Bytes that have come and were not stored yet.
    """

    def __init__(
        self,
        receiver: Receiver,
        transaction: Transaction,
        fetcher: Fetcher,
        pool: WorkerPool,
        processes: ContentProcesses,
        base: str,
        result: PullResult,
    ) -> None:
        self.receiver = receiver
        self._pool = pool
        self._processes = processes
        self._base = base
        self._transaction = transaction
        self._fetcher = fetcher
        self._result = result
        self._batch = _Batch(self)
        self._ready: deque[_Batch] = deque()
        self._streams: set[_Stream] = set()
        self.fetching = 0
        self.held = 0

    def fetch(self, checksum: Checksum) -> None:
        """Ask for an object."""
        body = _Body(self, checksum)
        self.fetching += 1
        url = self._base + loose_path(checksum, "filez")
        request = Request(url, priority=CONTENT_PRIORITY, resumable=True)
        self._fetcher.submit(request, body, body.done)

    def flush(self, *, force: bool) -> None:
        """Let workers store what has come, if they have nothing else to do or if forced."""
        if self._batch.bodies and (force or self._pool.pending < 2):
            self._ready.append(self._batch)
            self._batch = _Batch(self)
        if self._processes.possible:
            # A thread would spend its time waiting for this one, and prevent a fork.
            while self.help():
                pass
        while self._ready and self._pool.pending < _MOST_JOBS:
            self._pool.submit(self._ready.popleft().store)

    def work(self, job: Callable[[], Callable[[], None]]) -> None:
        """Have a piece of a large object stored: by a worker, unless threads would prevent a fork."""
        if self._processes.possible and not self._processes.start():
            job()()
        else:
            self._pool.submit(job)

    def help(self) -> bool:
        """Do some of the workers' work; whether there was any to be had."""
        if not self._ready:
            return False
        self._ready.popleft().store()()
        return True

    def close(self) -> None:
        """Drop half-stored objects; the workers must have ended."""
        for stream in self._streams:
            stream.object.close()
        self._streams.clear()

    # called by bodies -------------------------------------------------------------------------

    def arrived(self, checksum: Checksum, body: bytes) -> None:
        """A small object is there, to be stored with others."""
        self.fetching -= 1
        size = len(body)
        self.held += size
        self._result.bytes_transferred += size
        batch = self._batch
        batch.bodies.append((checksum, body))
        batch.size += size
        if len(batch.bodies) >= _BATCH or batch.size >= _BATCH_BYTES:
            self.flush(force=True)

    def stream(self, checksum: Checksum) -> _Stream:
        """Begin to store a large object."""
        stream = _Stream(self, checksum)
        self._streams.add(stream)
        return stream

    def stream_ended(self, size: int) -> None:
        """The last byte of a large object has come."""
        self.fetching -= 1
        self._result.bytes_transferred += size

    def batch_stored(self, batch: _Batch) -> None:
        """A worker is done with small objects."""
        count = len(batch.bodies)
        self.held -= batch.size
        self._result.content += count
        self._transaction.count_content(batch.written, batch.plain, count)

    def stream_closed(self, stream: _Stream, outcome: tuple[bool, int] | None) -> None:
        """A large object is stored, or was given up."""
        self._streams.discard(stream)
        if outcome is not None:
            written, plain = outcome
            self._result.content += 1
            self._transaction.count_content(int(written), plain)


class _Batch:
    """Small objects that one worker stores one after the other."""

    __slots__ = ("_flow", "bodies", "plain", "size", "written")

    def __init__(self, flow: ContentFlow) -> None:
        self._flow = flow
        self.bodies: list[tuple[Checksum, bytes]] = []
        self.size = 0
        self.written = 0
        self.plain = 0

    def store(self) -> Callable[[], None]:
        """The worker's job."""
        store_body = self._flow.receiver.store_body
        for checksum, body in self.bodies:
            is_new, size = store_body(checksum, body)
            if is_new:
                self.written += 1
                self.plain += size
        return self._stored

    def _stored(self) -> None:
        self._flow.batch_stored(self)


class _Stream:
    """A large object: whatever has come since the last job is the next job's work."""

    __slots__ = (
        "_busy",
        "_dropped",
        "_ended",
        "_flow",
        "_is_last",
        "_outcome",
        "_taken",
        "_taken_size",
        "_waiting",
        "_waiting_size",
        "object",
    )

    def __init__(self, flow: ContentFlow, checksum: Checksum) -> None:
        self.object = flow.receiver.stream(checksum)
        self._flow = flow
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._taken: list[bytes] = []
        self._taken_size = 0
        self._busy = False
        self._ended = False
        self._is_last = False
        self._dropped = False
        self._outcome: tuple[bool, int] | None = None

    def add(self, chunk: bytes) -> None:
        """More of the object has come."""
        self._waiting.append(chunk)
        self._waiting_size += len(chunk)
        self._flow.held += len(chunk)
        if not self._busy:
            self._work()

    def end(self) -> None:
        """All of it has come."""
        self._ended = True
        if not self._busy:
            self._work()

    def drop(self) -> None:
        """It failed, or starts again from the beginning with another stream."""
        self._dropped = True
        self._flow.held -= self._waiting_size
        self._waiting, self._waiting_size = [], 0
        if not self._busy:
            self._close()

    def _work(self) -> None:
        self._busy = True
        self._taken, self._waiting = self._waiting, []
        self._taken_size, self._waiting_size = self._waiting_size, 0
        self._is_last = self._ended
        self._flow.work(self._store)

    def _store(self) -> Callable[[], None]:
        """The worker's job."""
        self.object.feed(self._taken)
        if self._is_last:
            self._outcome = self.object.finish()
        return self._stored

    def _stored(self) -> None:
        self._busy = False
        self._flow.held -= self._taken_size
        self._taken = []
        if self._dropped or self._is_last:
            self._close()
        elif self._waiting or self._ended:
            self._work()

    def _close(self) -> None:
        self.object.close()
        self._flow.stream_closed(self, self._outcome)


class _Body(Sink):
    """The body of one object while it arrives."""

    __slots__ = ("_checksum", "_chunks", "_flow", "_size", "_stream")

    def __init__(self, flow: ContentFlow, checksum: Checksum) -> None:
        self._flow = flow
        self._checksum = checksum
        self._chunks: list[bytes] = []
        self._size = 0
        self._stream: _Stream | None = None

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        self._size += len(chunk)
        if self._stream is not None:
            self._stream.add(chunk)
            return
        self._chunks.append(chunk)
        if self._size > SMALL:
            self._stream = self._flow.stream(self._checksum)
            for early in self._chunks:
                self._stream.add(early)
            self._chunks.clear()

    def restart(self) -> None:
        """Drop everything: the body comes again from its start."""
        self._chunks.clear()
        self._size = 0
        if self._stream is not None:
            self._stream.drop()
            self._stream = None

    def done(self, outcome: Response | OSTreeError) -> None:
        """The request has ended."""
        if isinstance(outcome, OSTreeError):
            raise outcome
        if self._stream is not None:
            self._flow.stream_ended(self._size)
            self._stream.end()
            return
        chunks = self._chunks
        self._flow.arrived(self._checksum, chunks[0] if len(chunks) == 1 else b"".join(chunks))
