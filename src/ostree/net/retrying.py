"""A fetcher around a fetcher that tries failed requests again."""

from __future__ import annotations

import os
from heapq import heappop, heappush
from time import monotonic

from ostree.errors import OSTreeError
from ostree.net.fetcher import Fetcher
from ostree.net.retry import RetryPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.net.fetcher import Done, Request, Response, Sink


def random_fraction() -> float:
    """A number from 0 to 1; the module ``random`` would be a heavy import for that."""
    return os.urandom(1)[0] / 255


class RetryingFetcher(Fetcher):
    """Applies a :class:`RetryPolicy`; each request has its own count.

    A retry calls :meth:`Sink.restart` and then sends the same request again, with its priority.
    The error of the last attempt is the one that ``done`` is given.
    """

    def __init__(
        self,
        inner: Fetcher,
        policy: RetryPolicy | None = None,
        *,
        jitter: Callable[[], float] = random_fraction,
    ) -> None:
        super().__init__()
        self._inner = inner
        self._policy = policy or RetryPolicy()
        self._jitter = jitter
        self._waiting: list[tuple[float, int, _Attempt]] = []
        self._sequence = 0

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        """Queue a request; see the base class."""
        self._inner.submit(request, sink, _Attempt(self._finish, request, sink, done))

    def step(self, timeout: float | None = None) -> int:
        """Wait for something to happen, the end of a pause included, and run the callbacks."""
        self._inner.hold = self.hold
        try:
            self._resubmit()
            if self._waiting and not self.hold:
                pause = max(0.0, self._waiting[0][0] - monotonic())
                timeout = pause if timeout is None else min(timeout, pause)
            self._inner.step(timeout)
        except BaseException:
            self.cancel()
            raise
        return self.outstanding()

    def outstanding(self) -> int:
        """The number of requests not done yet, those between two attempts included."""
        return self._inner.outstanding() + len(self._waiting)

    def wake(self) -> None:
        """Make ``step`` return; from any thread."""
        self._inner.wake()

    def cancel(self) -> None:
        """Forget every outstanding request; their ``done`` is not called."""
        self._waiting.clear()
        self._inner.cancel()

    def close(self) -> None:
        """Close the inner fetcher too."""
        self._waiting.clear()
        self._inner.close()

    def _resubmit(self) -> None:
        """Send again what has waited long enough."""
        now = monotonic()
        while self._waiting and not self.hold and self._waiting[0][0] <= now:
            _due, _sequence, attempt = heappop(self._waiting)
            self._inner.submit(attempt.request, attempt.sink, attempt)

    def _finish(self, attempt: _Attempt, outcome: Response | OSTreeError) -> None:
        """Report the outcome of an attempt, or arrange for the next one."""
        url = attempt.request.url
        if isinstance(outcome, OSTreeError) and self._policy.retries_error(url, outcome):
            attempt.retries += 1
            pause = self._policy.delay(attempt.retries, self._jitter())
            if pause is not None:
                try:
                    attempt.sink.restart()
                except OSTreeError as error:
                    attempt.done(error)
                    return
                self._sequence += 1
                heappush(self._waiting, (monotonic() + pause, self._sequence, attempt))
                return
        attempt.done(outcome)


class _Attempt:
    """A request with the number of its retries; stands in for the caller's ``done``."""

    __slots__ = ("done", "finish", "request", "retries", "sink")

    def __init__(
        self,
        finish: Callable[[_Attempt, Response | OSTreeError], None],
        request: Request,
        sink: Sink,
        done: Done,
    ) -> None:
        self.finish = finish
        self.request = request
        self.sink = sink
        self.done = done
        self.retries = 0

    def __call__(self, outcome: Response | OSTreeError) -> None:
        self.finish(self, outcome)
