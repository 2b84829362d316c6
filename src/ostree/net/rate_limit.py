"""A fetcher around a fetcher that takes no more than so many bytes per second."""

from __future__ import annotations

import threading
from time import monotonic

from ostree.net.fetcher import Sink
from ostree.net.wrapping import WrappingFetcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.net.fetcher import Done, Fetcher, Request

#: What may come at once after a time without transfers, in seconds' worth.
_BURST = 0.25


class Allowance:
    """How many bytes may come: grows with time, up to a small burst; a pure account.

    Args:
        rate: Bytes per second.
        now: The present time in seconds.
    """

    def __init__(self, rate: int, now: float) -> None:
        self._rate = rate
        self._left = rate * _BURST
        self._at = now

    def spend(self, size: int) -> None:
        """Note that ``size`` bytes have come."""
        self._left -= size

    def wait(self, now: float) -> float:
        """Seconds until something may come again; 0 if it may now."""
        self._left = min(self._left + (now - self._at) * self._rate, self._rate * _BURST)
        self._at = now
        return max(0.0, -self._left / self._rate)


class LimitedFetcher(WrappingFetcher):
    """Keeps all transfers together below a rate, by not reading while too much has come.

    Args:
        inner: Does the work.  One transfer of it should not be faster than ``rate`` by itself, or
            it comes in bursts.
        rate: Bytes of body per second.
    """

    def __init__(
        self, inner: Fetcher, rate: int, *, clock: Callable[[], float] = monotonic
    ) -> None:
        super().__init__(inner)
        self._clock = clock
        self._allowance = Allowance(rate, clock())
        self._awake = threading.Event()

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        """Queue a request; see the base class."""
        self._inner.submit(request, _Metered(sink, self._allowance), done)

    def step(self, timeout: float | None = None) -> int:
        """Wait until something may come, then for it to come; see the base class."""
        pause = self._allowance.wait(self._clock()) if self._inner.outstanding() else 0.0
        if pause:
            interrupted = self._awake.wait(pause if timeout is None else min(pause, timeout))
            self._awake.clear()
            if interrupted or (timeout is not None and timeout < pause):
                return self._inner.outstanding()
        return super().step(timeout)

    def wake(self) -> None:
        """Make ``step`` return; from any thread."""
        self._awake.set()
        self._inner.wake()


class _Metered(Sink):
    """A sink whose bytes are counted."""

    __slots__ = ("_allowance", "_sink")

    def __init__(self, sink: Sink, allowance: Allowance) -> None:
        self._sink = sink
        self._allowance = allowance

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        self._allowance.spend(len(chunk))
        self._sink.write(chunk)

    def restart(self) -> None:
        """Drop everything written so far."""
        self._sink.restart()
