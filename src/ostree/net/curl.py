"""The curl engine: many transfers at once over kept-alive connections, driven by epoll.

Built for pulls of tens of thousands of small objects.  A handful of easy handles is set up once
and used again; between two requests only what differs is set, which is the URL as a rule.  Header
lines cross into Python only for requests that want validators.  Events come through
``curl_multi_socket_action`` and an epoll of our own rather than ``select``, which could not watch
descriptors above 1023 in a process with many open files.

Sinks are written to right after each call into curl, not from within it.
"""

from __future__ import annotations

import os
import select
import stat
import threading
import warnings
from collections import deque
from contextlib import suppress
from functools import partial
from heapq import heappop, heappush
from time import monotonic

from ostree.net.curl_error import curl_error
from ostree.net.curl_library import pycurl
from ostree.net.curl_transfer import Transfer, guarded, load_cookies
from ostree.net.fetcher import Fetcher, FetcherOptions, check_headers, check_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.errors import OSTreeError
    from ostree.net.fetcher import Done, Request, Response, Sink

#: Seconds after which curl looks at all transfers: when several are silent at once, its timer
#: tells of the first one only.
_LOOK_EVERY = 1.0
_EPOLL_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}


class CurlFetcher(Fetcher):
    """Fetches http, https and file URLs with libcurl."""

    _closed = True  # until everything is set up

    def __init__(self, options: FetcherOptions | None = None) -> None:
        super().__init__()
        options = options or FetcherOptions()
        check_headers(options.headers)
        self._options = options
        self._most = max(1, options.max_outstanding)
        self._queue: list[tuple[int, int, Request, Sink, Done]] = []
        self._sequence = 0
        self._finished: deque[tuple[Done, Response | OSTreeError]] = deque()
        self._running: dict[pycurl.Curl, Transfer] = {}
        self._dirty: list[Transfer] = []
        self._raised: list[BaseException] = []
        self._deadline: float | None = None
        self._look_at: float | None = None
        self._has_news = False
        self._watched: dict[int, int] = {}
        self._resting: set[int] = set()
        self._share = pycurl.CurlShare()
        self._share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_COOKIE)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, guarded(self._on_socket, self._raised))
        self._multi.setopt(pycurl.M_TIMERFUNCTION, guarded(self._on_timer, self._raised))
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._idle = [
            Transfer(options, self._share, self._dirty, self._raised) for _ in range(self._most)
        ]
        if options.cookie_jar:
            load_cookies(self._idle[0].curl, options.cookie_jar)
        self._epoll = select.epoll()
        self._wake_lock = threading.Lock()
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._listeners: dict[int, Callable[[], object]] = {}
        self.watch(self._wake_fd, partial(os.eventfd_read, self._wake_fd))
        self._closed = False

    def __del__(self) -> None:
        if not self._closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=1)
            self.close()

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        """Queue a request; see the base class."""
        check_url(request.url)
        if request.headers:
            check_headers(request.headers)
        self._sequence += 1
        heappush(self._queue, (request.priority, self._sequence, request, sink, done))

    def outstanding(self) -> int:
        """The number of requests submitted and not done yet."""
        return len(self._queue) + len(self._running) + len(self._finished)

    def wake(self) -> None:
        """Make ``step`` return; from any thread."""
        # Under the lock the descriptor cannot be closed, and its number reused, in between.
        with self._wake_lock:
            if not self._closed:
                os.eventfd_write(self._wake_fd, 1)

    def step(self, timeout: float | None = None) -> int:
        """Wait for something to happen and run the callbacks; see the base class."""
        try:
            self._start_queued()
            # A transfer may begin and end within one call into curl; and outcomes are left over
            # when a callback was itself driving the fetcher.
            self._wait(0 if self._has_news or self._finished else timeout)
            self._collect()
            self._start_queued()  # servers answer the next requests while the callbacks run
            while self._finished:
                done, outcome = self._finished.popleft()
                done(outcome)
        except BaseException:
            self.cancel()
            raise
        return self.outstanding()

    def cancel(self) -> None:
        """Forget every outstanding request; their ``done`` is not called."""
        self._queue.clear()
        self._finished.clear()
        self._dirty.clear()
        self._raised.clear()
        for curl, transfer in list(self._running.items()):
            del self._running[curl]
            self._multi.remove_handle(curl)
            transfer.release()
            self._idle.append(transfer)

    def close(self) -> None:
        """Cancel everything and release connections."""
        if self._closed:
            return
        self.cancel()
        with self._wake_lock:
            self._closed = True
        self._multi.close()
        for transfer in self._idle:
            transfer.curl.close()
        self._idle.clear()
        self._share.close()
        self._epoll.close()
        os.close(self._wake_fd)

    @property
    def divisible(self) -> bool:
        """Whether forked processes may do some of the fetching; not with a key in a device."""
        options = self._options
        return not (
            _is_in_token(options.tls_client_cert_path) or _is_in_token(options.tls_client_key_path)
        )

    def in_child(self, most: int) -> CurlFetcher:
        """In a process that was forked: a fetcher in place of this one; see the base class."""
        # Whoever holds a connection that its owner has closed keeps it open.
        for descriptor in self._watched:
            with suppress(OSError):
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    os.close(descriptor)
        other = CurlFetcher(self._options.in_child(most))
        anyone = self._idle[0] if self._idle else next(iter(self._running.values()))
        for line in anyone.curl.getinfo(pycurl.INFO_COOKIELIST):
            other._idle[0].curl.setopt(pycurl.COOKIELIST, line)
        return other

    def share(self, most: int) -> bool:
        """Have at most ``most`` requests under way from now on; see the base class."""
        if most < self._most:
            self._most = most
            self._multi.setopt(pycurl.M_MAXCONNECTS, most)
        return len(self._running) <= self._most

    def watch(self, fd: int, on_readable: Callable[[], object]) -> None:
        """Call ``on_readable`` while a descriptor is readable; see the base class."""
        self._listeners[fd] = on_readable
        self._epoll.register(fd, select.EPOLLIN)

    def _start_queued(self) -> None:
        """Send as many waiting requests as there are free handles."""
        if self.hold or not self._queue or len(self._running) >= self._most:
            return
        while self._queue and len(self._running) < self._most:
            _priority, _sequence, request, sink, done = heappop(self._queue)
            transfer = self._idle.pop()
            try:
                transfer.prepare(request, sink, done)
            except pycurl.error as error:
                transfer.release()
                self._idle.append(transfer)
                self._finished.append((done, curl_error(request.url, error.args[0])))
                continue
            self._running[transfer.curl] = transfer
            self._multi.add_handle(transfer.curl)
        if self._look_at is None:
            self._look_at = monotonic() + _LOOK_EVERY
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _wait(self, timeout: float | None) -> None:
        """Let curl act on what its sockets have, waiting for the first event if there is none."""
        deadlines = [moment for moment in (self._deadline, self._look_at) if moment is not None]
        if deadlines:
            left = max(0.0, min(deadlines) - monotonic())
            timeout = left if timeout is None else min(timeout, left)
        for descriptor, events in self._epoll.poll(timeout):
            listener = self._listeners.get(descriptor)
            if listener is not None:
                listener()
                continue
            if descriptor in self._resting:
                self._forget(descriptor)
                continue
            if descriptor not in self._watched:
                self._renew_epoll()
                continue
            mask = 0
            if events & ~select.EPOLLOUT:  # hang-ups and errors are learned by reading
                mask = pycurl.CSELECT_IN
            if events & select.EPOLLOUT:
                mask |= pycurl.CSELECT_OUT
            self._act(descriptor, mask)
        deadline = self._deadline
        if deadline is not None and deadline <= monotonic():
            self._deadline = None
            self._act(pycurl.SOCKET_TIMEOUT, 0)
            if self._deadline is None:
                # Curl says nothing if its own clock finds the same moment still to come.
                milliseconds = self._multi.timeout()
                if milliseconds >= 0:
                    self._on_timer(max(1, milliseconds))
        if self._look_at is not None and self._look_at <= monotonic():
            self._look_at = monotonic() + _LOOK_EVERY if self._running else None
            _result, running = self._multi.perform()
            self._take_over(running)

    def _act(self, descriptor: int, mask: int) -> None:
        """Let curl work on a descriptor, then give the sinks what has arrived."""
        _result, running = self._multi.socket_action(descriptor, mask)
        self._take_over(running)

    def _take_over(self, running: int) -> None:
        """Notice what a call into curl has brought: ends of transfers, errors, data."""
        self._has_news |= running < len(self._running)
        if self._raised:
            raise self._raised[0]
        while self._dirty:
            transfer = self._dirty.pop()
            error = transfer.flush()
            if error is not None:
                self._release(transfer, error)

    def _collect(self) -> None:
        """Take what curl has finished; free its handles before anyone is told."""
        self._has_news = False
        left = len(self._running)
        while left:
            left, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._finish(curl, 0)
            for curl, code, _text in failed:
                self._finish(curl, code)

    def _finish(self, curl: pycurl.Curl, code: int) -> None:
        transfer = self._running[curl]
        self._release(transfer, transfer.outcome(code))

    def _release(self, transfer: Transfer, outcome: Response | OSTreeError) -> None:
        """Take a transfer off curl, however far it is; its callback comes later."""
        del self._running[transfer.curl]
        self._multi.remove_handle(transfer.curl)
        self._finished.append((transfer.done, outcome))
        transfer.release()
        self._idle.append(transfer)

    def _on_socket(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            # The next request of a kept connection takes it up again, which is one call less.
            if descriptor in self._watched:
                self._resting.add(descriptor)
            return
        events = _EPOLL_EVENTS.get(what, 0)
        is_known = descriptor in self._watched
        self._watched[descriptor] = events
        if is_known:
            self._resting.discard(descriptor)
            try:
                self._epoll.modify(descriptor, events)
                return
            except FileNotFoundError:  # it was closed meanwhile, and this is another one
                pass
        self._epoll.register(descriptor, events)

    def _forget(self, descriptor: int) -> None:
        """Something happens on a connection that no request uses: curl will find out by itself."""
        self._resting.discard(descriptor)
        del self._watched[descriptor]
        try:
            self._epoll.unregister(descriptor)
        except OSError:  # it is closed, but not everywhere
            self._renew_epoll()

    def _renew_epoll(self) -> None:
        """Forget what is closed here, but held by a process that was forked meanwhile.

        Epoll goes on telling of it, and there is no way to have it forget a closed descriptor.
        """
        self._epoll.close()
        self._epoll = select.epoll()
        for listener in self._listeners:
            self._epoll.register(listener, select.EPOLLIN)
        for descriptor, events in list(self._watched.items()):
            try:
                self._epoll.register(descriptor, events)
            except OSError:
                del self._watched[descriptor]
                self._resting.discard(descriptor)

    def _on_timer(self, milliseconds: int) -> None:
        self._deadline = None if milliseconds < 0 else monotonic() + milliseconds / 1000


def _is_in_token(path: str | None) -> bool:
    """Whether that is no path, but names what is in a device, whose session a fork would share."""
    return path is not None and path.startswith("pkcs11:")
