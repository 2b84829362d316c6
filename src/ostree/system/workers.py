"""A small pool of threads for work that mostly runs outside the interpreter lock.

Not ``concurrent.futures``: that imports ``logging``, which alone costs more than many a command.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue

from ostree.system.processors import default_workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self


class _Outcome:
    __slots__ = ("done", "error")

    def __init__(self, done: Callable[[], None] | None, error: BaseException | None) -> None:
        self.done = done
        self.error = error


class WorkerPool:
    """Runs jobs on threads and hands their completions back to the thread that owns the pool.

    A job is a callable that returns another callable (or None), which the owner's thread runs
    when it collects: what touches shared state needs no locks that way.  The first error of a job
    is raised from the next :meth:`submit` or :meth:`drain`.

    Args:
        workers: Number of threads; started with the first job.
        backlog: How many jobs may be under way before :meth:`submit` waits for one to finish.
    """

    def __init__(self, workers: int | None = None, *, backlog: int = 64) -> None:
        self._workers = workers or default_workers()
        self._backlog = backlog
        self._jobs: SimpleQueue[Callable[[], Callable[[], None] | None] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[_Outcome] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._on_finish: Callable[[], None] | None = None
        self.pending = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(discard=error is not None)

    def notify(self, on_finish: Callable[[], None]) -> None:
        """Call ``on_finish`` on the worker's thread after each job, to wake the owner."""
        self._on_finish = on_finish

    def submit(self, job: Callable[[], Callable[[], None] | None]) -> None:
        """Queue a job; waits while the backlog is full."""
        while self.pending >= self._backlog:
            self.collect(wait=True)
        if len(self._threads) < min(self._workers, self.pending + 1):
            thread = threading.Thread(target=self._run, name="ostree-worker", daemon=True)
            self._threads.append(thread)
            thread.start()
        self.pending += 1
        self._jobs.put(job)

    @property
    def full(self) -> bool:
        """Whether :meth:`submit` would wait."""
        return self.pending >= self._backlog

    def collect(self, *, wait: bool = False) -> bool:
        """Run completions of finished jobs; whether there was any.

        With ``wait``, wait for at least one if jobs are under way.
        """
        any_done = False
        while self.pending and ((wait and not any_done) or not self._outcomes.empty()):
            outcome = self._outcomes.get()
            self.pending -= 1
            any_done = True
            if outcome.error is not None:
                raise outcome.error
            if outcome.done is not None:
                outcome.done()
        return any_done

    def drain(self) -> None:
        """Wait for all jobs, those that completions submit included."""
        while self.pending:
            self.collect(wait=True)

    def close(self, *, discard: bool = False) -> None:
        """End the threads, after the queued jobs, or with ``discard`` without starting them."""
        if discard:
            with suppress(Empty):
                while True:
                    self._jobs.get_nowait()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self.pending = 0

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                outcome = _Outcome(job(), None)
            except BaseException as error:  # noqa: BLE001 - carried to the owner's thread
                outcome = _Outcome(None, error)
            self._outcomes.put(outcome)
            if self._on_finish is not None:
                self._on_finish()
