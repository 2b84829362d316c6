"""A fetcher around a fetcher that goes on to the next of several equal servers."""

from __future__ import annotations

from ostree.errors import FetchError, FetchTimeoutError, OSTreeError, StatusError
from ostree.net.wrapping import WrappingFetcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.net.fetcher import Done, Fetcher, Request, Response, Sink


class MirroredFetcher(WrappingFetcher):
    """Requests below the first URL of a group may be answered by any other one of the group.

    They go to the first mirror.  After an HTTP error status, "not found" among them, the next one
    is asked, for mirrors may be half synchronised.  A mirror that cannot be reached at all is asked
    last from then on, which is our addition.  The outcome of the last mirror is what ``done`` is
    given.  Requests for other URLs are passed on as they are.

    Args:
        inner: Does the work; it should not be too patient with one mirror.
        groups: Base URLs of mirrors, best first, without a slash at their ends.
    """

    def __init__(self, inner: Fetcher, groups: Sequence[Sequence[str]]) -> None:
        super().__init__(inner)
        self._groups = [_Group(urls) for urls in groups if len(urls) > 1]

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        """Queue a request; see the base class."""
        for group in self._groups:
            if request.url.startswith(group.prefix):
                attempt = _Attempt(self._send, group, request, sink, done)
                self._send(attempt)
                return
        self._inner.submit(request, sink, done)

    def _send(self, attempt: _Attempt) -> None:
        request = attempt.request.copy(attempt.mirrors[0] + attempt.path)
        self._inner.submit(request, attempt.sink, attempt)


class _Group:
    """Mirrors in the order in which they are asked."""

    __slots__ = ("mirrors", "prefix")

    def __init__(self, urls: Sequence[str]) -> None:
        self.mirrors = list(urls)
        self.prefix = f"{urls[0]}/"

    def demote(self, mirror: str) -> None:
        """Ask a mirror last."""
        self.mirrors.remove(mirror)
        self.mirrors.append(mirror)


class _Attempt:
    """A request and the mirrors it has not been sent to; stands in for the caller's ``done``."""

    __slots__ = ("_group", "_send", "done", "mirrors", "path", "request", "sink")

    def __init__(
        self,
        send: Callable[[_Attempt], None],
        group: _Group,
        request: Request,
        sink: Sink,
        done: Done,
    ) -> None:
        self._send = send
        self._group = group
        self.request = request
        self.sink = sink
        self.done = done
        self.mirrors = list(group.mirrors)
        self.path = request.url[len(group.prefix) - 1 :]

    def __call__(self, outcome: Response | OSTreeError) -> None:
        if isinstance(outcome, FetchError | FetchTimeoutError):
            self._group.demote(self.mirrors[0])
            outcome.received = 0  # another mirror's file may differ in every byte
        elif not isinstance(outcome, StatusError):
            self.done(outcome)
            return
        del self.mirrors[0]
        if not self.mirrors:
            self.done(outcome)
            return
        try:
            self.sink.restart()
        except OSTreeError as error:
            self.done(error)
            return
        self._send(self)
