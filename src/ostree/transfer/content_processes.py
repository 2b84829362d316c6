"""File objects that forked processes fetch, verify and store by themselves (ADR 32).

The parent tells a child which objects to get, some at a time; the child has connections of its own
and tells of each object whether it is stored.  Whatever goes wrong there, the parent fetches the
object again, with its patience and its words for what goes wrong; and for a while it gives nothing
more to children, for a server that is in trouble.
"""

from __future__ import annotations

import threading
from array import array
from collections import deque
from functools import partial
from time import monotonic

from ostree.errors import OSTreeError
from ostree.net.fetcher import Request
from ostree.store.layout import loose_path
from ostree.system.processors import default_workers, has_other_threads
from ostree.transfer.body_sink import BodySink
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import Fetcher, Response
    from ostree.repo.transaction import Transaction
    from ostree.system.worker_processes import Tasks, WorkerProcesses
    from ostree.transfer.content_receiver import Receiver
    from ostree.transfer.options import PullResult

#: Objects that are taken off the queue at once: by the parent, and by a child for each request that
#: it has under way. A child that has all the tasks it may have is as busy then as the parent can be.
TASK = 16
_FOR_EACH = 4
#: Most objects in a task.
_MOST = 64
#: Whoever has no more objects than this does not fork.
_WARM_UP = 128
#: Requests that a child has under way, at the least.
_FEWEST = 2
#: Seconds to wait for the end of threads that are not ours: those in which curl looks up names.
_PATIENCE = 3.0
#: Seconds in which children are given nothing after one could not do what it was given.
_REST = 5.0
_DIGEST = 32


class ContentProcesses:
    """Hands out file objects of one pull.

    Args:
        transaction: The open transaction.
        receiver: Stores objects, here and in the children.
        fetcher: The parent's.
        base: The URL of the directory of objects, with a slash at its end.
        most: Requests that may be under way in all processes together.
        result: Is counted in.
        wanted: Whether children may be of use at all.
    """

    def __init__(
        self,
        transaction: Transaction,
        receiver: Receiver,
        fetcher: Fetcher,
        base: str,
        most: int,
        result: PullResult,
        *,
        wanted: bool = True,
    ) -> None:
        self._transaction = transaction
        self._receiver = receiver
        self._fetcher = fetcher
        self._base = base
        self._result = result
        self._count = 0
        if wanted and fetcher.divisible and base[:4].lower() == "http":
            self._count = min(default_workers() - 1, most // 2 // _FEWEST)
        self._share = most // 2 // max(self._count, 1)
        self._parents_share = most - self._count * self._share
        self._processes: WorkerProcesses | None = None
        self._undone: deque[Checksum] = deque()
        self._left_alone = _WARM_UP
        self._size = min(_FOR_EACH * self._share, _MOST)
        self._rests_until = 0.0
        self._gives_up_at = monotonic() + _PATIENCE
        self._waiting = 0

    @property
    def possible(self) -> bool:
        """Whether there are children, or will be: threads started meanwhile would prevent it."""
        return self._count > 0 if self._processes is None else self._processes.possible

    def hand_out(self, content: deque[Checksum]) -> bool:
        """Take some objects off the queue for a child; False if the parent is to take them."""
        if self._left_alone > 0:
            self._left_alone -= TASK
            return False
        if not self.start() or monotonic() < self._rests_until:
            return False
        if not self._fetcher.share(self._parents_share):  # the server is not to see more of us
            return False
        batch = [content[at] for at in range(min(self._size, len(content)))]
        task = b"".join(map(bytes.fromhex, batch))
        processes = self._processes
        if processes is None or not processes.hand_out(task, partial(self._settle, batch)):
            return False
        self._waiting += 1
        for _ in batch:
            content.popleft()
        return True

    def start(self) -> bool:
        """Fork if possible now, whatever the number of objects; whether there are children."""
        if self._processes is not None:
            return self._processes.started
        if not self._count or self._waits_for_threads():
            return False
        self._left_alone = 0
        self._processes = self._transaction.processes(self._serve, count=self._count)
        return self._processes.start()

    def _waits_for_threads(self) -> bool:
        if threading.active_count() > 1 or monotonic() > self._gives_up_at:
            return False
        return has_other_threads()

    def collect(self, *, wait: bool = False) -> bool:
        """Count what children have done; whether there is something that they still do."""
        if self._processes is None or not self._waiting:
            return False
        self._processes.collect(wait=wait)
        return True

    def take_undone(self) -> Checksum | None:
        """The next object that a child could not get."""
        return self._undone.popleft() if self._undone else None

    def close(self) -> None:
        """End the children, whatever they do."""
        if self._processes is not None:
            self._processes.close()

    def _settle(self, batch: list[Checksum], reply: bytes | None) -> None:
        self._waiting -= 1
        told = memoryview(reply or bytes(16 * len(batch))).cast("Q")
        stored = written = plain = 0
        for checksum, transferred, size in zip(batch, told[::2], told[1::2], strict=True):
            if not transferred:
                self._undone.append(checksum)
                continue
            stored += 1
            self._result.bytes_transferred += transferred - 1
            if size:
                written += 1
                plain += size - 1
        if stored < len(batch):
            self._rests_until = monotonic() + _REST
        self._result.content += stored
        self._transaction.count_content(written, plain, stored)

    def _serve(self, tasks: Tasks) -> None:
        with self._fetcher.in_child(self._share) as fetcher:
            _Child(tasks, fetcher, self._receiver, self._base).run()


class _Child:
    """What a child process does."""

    def __init__(self, tasks: Tasks, fetcher: Fetcher, receiver: Receiver, base: str) -> None:
        self._tasks = tasks
        self._fetcher = fetcher
        self._receiver = receiver
        self._base = base
        self._under_way: deque[_Task] = deque()
        self._sinks: set[_Body] = set()
        self._ended = False

    def run(self) -> None:
        """Do what the parent hands out, until there is nothing more."""
        fetcher, under_way = self._fetcher, self._under_way
        fetcher.watch(self._tasks.fd, self._take)
        while not self._ended:
            try:
                fetcher.step()
            except (OSTreeError, OSError):  # met again where they can be told
                self._give_up()
            while under_way and not under_way[0].left:
                self._tasks.answer(under_way.popleft().told.tobytes())

    def _take(self) -> None:
        """A task has come, or the end."""
        digests = self._tasks.take()
        if digests is None:
            self._ended = True
            return
        task = _Task(len(digests) // _DIGEST)
        self._under_way.append(task)
        for number in range(task.left):
            digest = digests[number * _DIGEST : (number + 1) * _DIGEST]
            checksum = Checksum.of_digest(digest)
            body = _Body(self._receiver, checksum, task, number, self._sinks)
            url = self._base + loose_path(checksum, "filez")
            self._fetcher.submit(Request(url), body, body.done)

    def _give_up(self) -> None:
        """Leave everything to the parent that is not done."""
        for sink in self._sinks:
            sink.close()
        self._sinks.clear()
        for task in self._under_way:
            task.left = 0


class _Task:
    """Objects to get.

    Attributes:
        left: How many of them are not stored yet.
        told: For each object how many bytes have come and how many are new on the disk, both with
            one added; 0 for what is not done, or not new.
    """

    __slots__ = ("left", "told")

    def __init__(self, count: int) -> None:
        self.left = count
        self.told = array("Q", bytes(16 * count))


class _Body(BodySink):
    """The body of one object, stored when it is complete."""

    __slots__ = ("_checksum", "_number", "_receiver", "_sinks", "_task")

    def __init__(
        self,
        receiver: Receiver,
        checksum: Checksum,
        task: _Task,
        number: int,
        sinks: set[_Body],
    ) -> None:
        super().__init__(partial(receiver.stream, checksum))
        self._receiver = receiver
        self._checksum = checksum
        self._task = task
        self._number = number
        self._sinks = sinks
        sinks.add(self)

    def done(self, outcome: Response | OSTreeError) -> None:
        """The request has ended."""
        if isinstance(outcome, OSTreeError):
            raise outcome
        if self.stream is not None:
            is_new, size = self.stream.finish()
        else:
            is_new, size = self._receiver.store_body(self._checksum, self.value())
        self.close()
        self._sinks.discard(self)
        told, at = self._task.told, 2 * self._number
        told[at] = outcome.size + 1
        told[at + 1] = size + 1 if is_new else 0
        self._task.left -= 1
