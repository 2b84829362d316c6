"""A fetcher around a fetcher that tries failed requests again."""

from __future__ import annotations

import os
from heapq import heappop, heappush
from time import monotonic

from ostree.errors import OSTreeError, StatusError, TransferError
from ostree.net.fetcher import Fetcher
from ostree.net.retry import PROGRESS, RetryPolicy, ServerHealth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.net.fetcher import Done, Request, Response, Sink

_RANGE_NOT_SATISFIABLE = 416


def random_fraction() -> float:
    """A number from 0 to 1; the module ``random`` would be a heavy import for that."""
    return os.urandom(1)[0] / 255


class RetryingFetcher(Fetcher):
    """Applies a :class:`RetryPolicy`: retries are counted for each request, pauses for each server.

    A retry sends the same request again, with its priority.  If it is resumable and some of its
    body has come, the rest is asked for; otherwise, and if the server will not send the rest,
    :meth:`Sink.restart` is called and the body comes from its start.  An attempt that brought a
    good part of a body does not count.  The error of the last attempt is the one that ``done`` is
    given.
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
        self._servers: dict[str, ServerHealth] = {}
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

    @property
    def divisible(self) -> bool:
        """Whether forked processes may do some of the fetching."""
        return self._inner.divisible

    def in_child(self, most: int) -> Fetcher:
        """In a process that was forked: a fetcher in place of this one; see the base class."""
        return self._inner.in_child(most)

    def share(self, most: int) -> bool:
        """Have at most ``most`` requests under way from now on; see the base class."""
        return self._inner.share(most)

    def _resubmit(self) -> None:
        """Send again what has waited long enough."""
        now = monotonic()
        while self._waiting and not self.hold and self._waiting[0][0] <= now:
            _due, _sequence, attempt = heappop(self._waiting)
            attempt.sent = now
            self._inner.submit(attempt.request, attempt.sink, attempt)

    def _finish(self, attempt: _Attempt, outcome: Response | OSTreeError) -> None:
        """Report the outcome of an attempt, or arrange for the next one."""
        if isinstance(outcome, OSTreeError) and self._may_help(attempt, outcome):
            pause = self._pause(attempt, outcome)
            if attempt.retries <= self._policy.retries:
                try:
                    attempt.start_over(outcome)
                except OSTreeError as error:
                    attempt.done(error)
                    return
                self._sequence += 1
                heappush(self._waiting, (monotonic() + pause, self._sequence, attempt))
                return
        elif self._servers:
            self._server(attempt.request.url).answered()
        attempt.done(outcome)

    def _may_help(self, attempt: _Attempt, error: OSTreeError) -> bool:
        """Whether to try again at all."""
        if attempt.request.offset and _refuses_ranges(error):
            return True
        return self._policy.retries_error(attempt.request.url, error)

    def _pause(self, attempt: _Attempt, error: OSTreeError) -> float:
        """Count a failure; how long to wait before the next attempt, in seconds."""
        server = self._server(attempt.request.url)
        received, wish = 0, None
        if isinstance(error, TransferError):
            received, wish = error.received, error.retry_after
        if self._policy.retries and received - attempt.request.offset >= PROGRESS:
            server.answered()
            attempt.retries = 0
            return 0.0
        server.failed(attempt.sent, monotonic())
        attempt.retries += 1
        return self._policy.pause(server.failures, self._jitter(), wish)

    def _server(self, url: str) -> ServerHealth:
        host = "/".join(url.split("/", 3)[:3])
        return self._servers.setdefault(host, ServerHealth())


class _Attempt:
    """A request with the number of its retries; stands in for the caller's ``done``."""

    __slots__ = ("done", "finish", "request", "retries", "sent", "sink")

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
        self.sent = monotonic()

    def __call__(self, outcome: Response | OSTreeError) -> None:
        self.finish(self, outcome)

    def start_over(self, error: OSTreeError) -> None:
        """Prepare the next attempt: of the rest of the body if that makes sense, or of all of it."""
        request = self.request
        if (
            request.resumable
            and isinstance(error, TransferError)
            and error.received > request.offset
        ):
            self.request = request.rest(error.received, error.last_modified)
        elif _refuses_ranges(error):
            self.sink.restart()
            self.request = request.copy()
        elif not request.offset:
            self.sink.restart()


def _refuses_ranges(error: OSTreeError) -> bool:
    """Whether a server that was asked for the rest of a body does not have it."""
    return isinstance(error, StatusError) and error.status == _RANGE_NOT_SATISFIABLE
