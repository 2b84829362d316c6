"""Forked processes that take batches of work off the hands of the one that started them.

For work that makes a system call every few microseconds threads are of no use: each call gives the
interpreter's lock away, and has to win it back. A forked process has a lock of its own, and
everything that is open in its parent.
"""

from __future__ import annotations

import os
import select
from collections import deque
from contextlib import ExitStack, suppress
from functools import partial

from ostree.system.processors import default_workers, has_other_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    Work = Callable[[bytes], bytes]
    Serve = Callable[["Tasks"], None]
    Settle = Callable[[bytes | None], None]

#: Largest task in bytes, with its length: what a pipe takes as a whole or not at all (pipe(7)).
MAX_TASK = select.PIPE_BUF - 4
#: Tasks that one process may have, the one it works on included.
_DEPTH = 4
#: Bytes of content from which on a single file is worth a process, and not to be waited for by others.
LARGE_FILE = 1 << 20
#: So many tasks are refused at first: whoever has no more of them is done before a fork would be.
_WARM_UP = 8


class WorkerProcesses:
    """Does tasks in child processes, while the parent does others.

    The parent hands out what it can and does the rest itself, so that there is one process for each
    processor in the end.  It never waits while it could work: a task that nobody has room for is
    refused. What a child cannot do is the parent's again, where its errors are raised as if there
    were no children. So a task has to be one that may be begun twice.

    Children end with their parent, however that ends, and do not outlive the context.  There are
    none, and every task is refused, where there is one processor or more than one thread: a fork
    copies the locks of other threads in whatever state they are.

    Args:
        serve: What a child does until there are no more tasks; mostly :func:`one_by_one`.
        begin: Is called in each child first, with its number from 1 on.
        count: Number of children, for tests; one less than there are processors otherwise.
    """

    def __init__(
        self,
        serve: Serve,
        *,
        begin: Callable[[int], None] | None = None,
        count: int | None = None,
    ) -> None:
        self._serve = serve
        self._begin = begin
        self._count = default_workers() - 1 if count is None else count
        self._warm_up = _WARM_UP
        self._children: list[_Child] = []
        self._dismissed: list[_Child] = []
        self._is_child = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def possible(self) -> bool:
        """Whether there are children, or will be: threads started meanwhile would prevent it."""
        return self._count > 0

    @property
    def started(self) -> bool:
        """Whether there are children, so that tasks of any size are shared."""
        return bool(self._children)

    def hand_out(self, task: bytes, settle: Settle, *, large: bool = False) -> bool:
        """Give a task to a child; False if it is the caller's to do.

        Args:
            task: What to do; refused if it is empty or has more than MAX_TASK bytes.
            settle: Is called here, by this method or another one, with what the child gave, or
                with None if it could not do it.
            large: Whether it takes long, so that it is worth a fork at once, and refused where it
                would have to wait.
        """
        if self._is_child or not self._count or not 0 < len(task) <= MAX_TASK:
            return False
        if self._warm_up and not (large or self._children):
            self._warm_up -= 1
            return False
        if not self.start():
            return False
        self.collect()
        if not self._children:  # the last one has died
            return False
        child = min(self._children, key=_Child.load)
        return child.load() < (1 if large else _DEPTH) and child.send(task, settle)

    def collect(self, *, wait: bool = False) -> None:
        """Settle what is done; with ``wait``, wait for one task if there is any."""
        busy = [child for child in self._children if child.waiting]
        if not busy:
            return
        poll = select.poll()
        for child in busy:
            poll.register(child.replies, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(None if wait else 0)}
        for child in busy:
            if child.replies in ready:
                self._settle_one(child)

    def drain(self) -> None:
        """Settle everything that was handed out."""
        while any(child.waiting for child in self._children):
            self.collect(wait=True)

    def dismiss(self) -> None:
        """Have the children end, each after the task it works on; :meth:`close` waits for that."""
        for child in self._children:
            child.end()
        self._dismissed += self._children
        self._children.clear()
        self._count = 0

    def close(self) -> None:
        """End the children, each after the task it works on."""
        self.dismiss()
        for child in self._dismissed:
            child.wait()
        self._dismissed.clear()

    def _settle_one(self, child: _Child) -> None:
        reply = child.receive()
        if reply is not None:
            child.waiting.popleft()(reply or None)
            return
        # It has died, and what it was to do is not done.
        self._children.remove(child)
        self._count = len(self._children)
        child.end()
        child.wait()
        for settle in child.waiting:
            settle(None)

    def start(self) -> bool:
        """Fork, if that was not done before; whether there are children."""
        if self._children or not self._count:
            return bool(self._children)
        if has_other_threads():
            self._count = 0
            return False
        try:
            for number in range(1, self._count + 1):
                self._children.append(self._fork(number))
        except OSError:  # no more processes, descriptors or memory
            self._count = len(self._children)
        return bool(self._children)

    def _fork(self, number: int) -> _Child:
        parent = os.getpid()
        with ExitStack() as undo:
            tasks = _Pipe()
            undo.callback(tasks.close)
            replies = _Pipe()
            undo.callback(replies.close)
            pid = os.fork()
            undo.pop_all()
        if pid == 0:
            status = 1
            try:
                from ostree.system.daemon import end_with_parent

                end_with_parent()
                if os.getppid() == parent:
                    # Earlier ones would not see the end of their pipes.
                    for child in self._children:
                        child.end()
                    tasks.close_writer()
                    replies.close_reader()
                    self._live(number, Tasks(tasks.reader, replies.writer))
                    status = 0
            finally:
                os._exit(status)
        tasks.close_reader()
        replies.close_writer()
        os.set_blocking(tasks.writer, False)
        return _Child(pid, tasks.writer, replies.reader)

    def _live(self, number: int, tasks: Tasks) -> None:
        """What a child does until there are no more tasks."""
        import gc

        gc.freeze()
        self._is_child = True
        if self._begin is not None:
            self._begin(number)
        self._serve(tasks)


class Tasks:
    """What a child is given to do, and where it answers.

    Attributes:
        fd: Is readable when there is a task, or will be no more.
    """

    __slots__ = ("_replies", "fd")

    def __init__(self, fd: int, replies: int) -> None:
        self.fd = fd
        self._replies = replies

    def take(self) -> bytes | None:
        """The next task, for which this waits; None if there are no more."""
        return _read_message(self.fd) or None

    def answer(self, reply: bytes) -> None:
        """Tell how a task went, in the order in which they were taken; nothing if it is not done."""
        _write_message(self._replies, reply)


def one_by_one(work: Work) -> Serve:
    """Children that do one task after the other.

    Args:
        work: Does a task, and gives what the parent is to know, at least one byte; its errors only
            say that the task is not done.
    """
    return partial(_serve_one_by_one, work)


def _serve_one_by_one(work: Work, tasks: Tasks) -> None:
    while task := tasks.take():
        try:
            reply = work(task)
        except Exception:  # noqa: BLE001 - the parent meets it again
            reply = b""
        tasks.answer(reply)


class _Pipe:
    """Both ends of a pipe."""

    __slots__ = ("reader", "writer")

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def close_reader(self) -> None:
        os.close(self.reader)

    def close_writer(self) -> None:
        os.close(self.writer)

    def close(self) -> None:
        self.close_reader()
        self.close_writer()


class _Child:
    """A child process as its parent sees it.

    Attributes:
        replies: Where it answers.
        waiting: For the tasks that it has not answered yet, who waits for that.
    """

    __slots__ = ("_pid", "_writer", "replies", "waiting")

    def __init__(self, pid: int, writer: int, replies: int) -> None:
        self._pid = pid
        self._writer = writer
        self.replies = replies
        self.waiting: deque[Settle] = deque()

    def load(self) -> int:
        """How many tasks it has."""
        return len(self.waiting)

    def send(self, task: bytes, settle: Settle) -> bool:
        """Give it one more task; False if the pipe is full or nobody reads it."""
        try:
            os.write(self._writer, len(task).to_bytes(4, "little") + task)
        except (BlockingIOError, BrokenPipeError):
            return False
        self.waiting.append(settle)
        return True

    def receive(self) -> bytes | None:
        """Its next answer, for which this waits; None if there will be none."""
        return _read_message(self.replies)

    def end(self) -> None:
        """Close what leads to it, so that it ends when it has done what it does."""
        os.close(self._writer)
        os.close(self.replies)

    def wait(self) -> None:
        """Return when it has ended."""
        with suppress(ChildProcessError):  # whoever uses us may have waited for all there are
            os.waitpid(self._pid, 0)


def _write_message(fd: int, data: bytes) -> None:
    message = memoryview(len(data).to_bytes(4, "little") + data)
    while message:
        message = message[os.write(fd, message) :]


def _read_message(fd: int) -> bytes | None:
    """One message; None if the other end is closed, perhaps in the midst of one."""
    start = _read_exactly(fd, 4)
    return None if start is None else _read_exactly(fd, int.from_bytes(start, "little"))


def _read_exactly(fd: int, size: int) -> bytes | None:
    data = os.read(fd, size) if size else b""
    while len(data) < size:
        more = os.read(fd, size - len(data))
        if not more:
            return None
        data += more
    return data
