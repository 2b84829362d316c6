"""What fetchers around a fetcher have in common: whatever they do not change is passed on."""

from __future__ import annotations

from ostree.net.fetcher import Fetcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import Done, Request, Sink


class WrappingFetcher(Fetcher):
    """Passes everything on to another fetcher, which it owns."""

    def __init__(self, inner: Fetcher) -> None:
        super().__init__()
        self._inner = inner

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        """Queue a request; see the base class."""
        self._inner.submit(request, sink, done)

    def step(self, timeout: float | None = None) -> int:
        """Wait for something to happen and run the callbacks; see the base class."""
        self._inner.hold = self.hold
        return self._inner.step(timeout)

    def outstanding(self) -> int:
        """The number of requests not done yet."""
        return self._inner.outstanding()

    def wake(self) -> None:
        """Make ``step`` return; from any thread."""
        self._inner.wake()

    def cancel(self) -> None:
        """Forget every outstanding request; their ``done`` is not called."""
        self._inner.cancel()

    def close(self) -> None:
        """Close the inner fetcher too."""
        self._inner.close()
