"""The interface of fetchers: requests go in, bodies stream into sinks, outcomes come back.

A fetcher is driven by one thread, which calls :meth:`Fetcher.step` (or :meth:`Fetcher.run`); the
callbacks run on that thread.  Only :meth:`Fetcher.wake` may be called from other threads.  The
errors handed to ``done`` are all of :class:`ostree.errors.TransferError`:

* :class:`~ostree.errors.StatusError` for an HTTP status that is no success (a missing file of a
  ``file://`` URL counts as 404),
* :class:`~ostree.errors.TooLargeError` when the limit of the request is exceeded,
* :class:`~ostree.errors.FetchTimeoutError` for a server that is too slow,
* :class:`~ostree.errors.FetchError` for everything else below HTTP;

or the very error that the sink raised, if that was an :class:`~ostree.errors.OSTreeError`.
"""

from __future__ import annotations

from ostree.errors import FetchError, OSTreeError, StatusError, TooLargeError
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Done = Callable[["Response | OSTreeError"], None]

#: Values of :attr:`Request.priority`; any integer will do, lower goes first.
METADATA_PRIORITY = 0
DELTA_PRIORITY = 10
CONTENT_PRIORITY = 20

#: Statuses that mean "there is no such file" (§5.7 of the notes on remotes).
NOT_FOUND_STATUSES = frozenset({403, 404, 410})

DEFAULT_USER_AGENT = "libostree/2026.4"


def is_not_found(outcome: object) -> bool:
    """Whether a request failed because there is no such file."""
    return isinstance(outcome, StatusError) and outcome.status in NOT_FOUND_STATUSES


class Request:
    """What to get: a GET of ``url``, an absolute http, https or file URL.

    Attributes:
        url: May carry ``user:password@``; the password is never shown.
        max_size: Most bytes of (decoded) body to accept; ``None`` for no limit.
        headers: Extra header lines of this request, as (name, value).
        if_none_match: Entity tag of a copy at hand, quotes included.
        if_modified_since: Modification time of a copy at hand, in seconds since the epoch.
        validators: Whether :attr:`Response.etag` and :attr:`Response.last_modified` are wanted.
        priority: Requests that wait are started lowest first, then in order of submission.
        resumable: Whether the rest of a body that was cut off may be asked for.  Only for files
            that are verified as a whole afterwards.
        offset: How much of the body is there already, in bytes; the sink gets what follows.  If
            the server has no such part, or sends the whole body, the request fails with status 416.
        if_range: The modification time of that part, if known; a file that has changed since fails
            the request in the same way.
    """

    __slots__ = (
        "headers",
        "if_modified_since",
        "if_none_match",
        "if_range",
        "max_size",
        "offset",
        "priority",
        "resumable",
        "url",
        "validators",
    )

    def __init__(
        self,
        url: str,
        *,
        max_size: int | None = None,
        headers: Sequence[tuple[str, str]] = (),
        if_none_match: str | None = None,
        if_modified_since: int | None = None,
        validators: bool = False,
        priority: int = METADATA_PRIORITY,
        resumable: bool = False,
    ) -> None:
        self.url = url
        self.max_size = max_size
        self.headers = headers
        self.if_none_match = if_none_match
        self.if_modified_since = if_modified_since
        self.validators = validators
        self.priority = priority
        self.resumable = resumable
        self.offset = 0
        self.if_range: int | None = None

    def copy(self, url: str | None = None) -> Request:
        """The same request, of the whole body, perhaps from another place."""
        return Request(
            self.url if url is None else url,
            max_size=self.max_size,
            headers=self.headers,
            if_none_match=self.if_none_match,
            if_modified_since=self.if_modified_since,
            validators=self.validators,
            priority=self.priority,
            resumable=self.resumable,
        )

    def rest(self, offset: int, if_range: int | None) -> Request:
        """The same request, of what follows the first ``offset`` bytes."""
        request = self.copy()
        request.offset = offset
        request.if_range = if_range
        return request

    def __repr__(self) -> str:
        return f"Request({displayed_url(self.url)!r}, priority={self.priority})"


class Response:
    """A success: the whole body is in the sink.

    Attributes:
        status: 2xx, or 304 for a conditional request (then the sink got nothing); 200 for files.
        size: Bytes of the whole body, those that were there before included.
        etag: The header verbatim, quotes included, if the request asked for validators.
        last_modified: In seconds since the epoch, if asked for and well-formed.
    """

    __slots__ = ("etag", "last_modified", "size", "status")

    def __init__(
        self, status: int, size: int, *, etag: str | None = None, last_modified: int | None = None
    ) -> None:
        self.status = status
        self.size = size
        self.etag = etag
        self.last_modified = last_modified

    @property
    def not_modified(self) -> bool:
        """Whether the copy at hand is still current."""
        return self.status == 304


class FetchedBytes:
    """A whole body in memory, with its validators; empty if the copy at hand is current."""

    __slots__ = ("data", "etag", "last_modified", "not_modified")

    def __init__(
        self,
        data: bytes,
        *,
        etag: str | None = None,
        last_modified: int | None = None,
        not_modified: bool = False,
    ) -> None:
        self.data = data
        self.etag = etag
        self.last_modified = last_modified
        self.not_modified = not_modified


class Sink:
    """Where a body goes, chunk by chunk, while it arrives.

    Neither method may drive the fetcher (``step``, ``run``, ``fetch_bytes``, ``cancel``); submitting
    is fine.  An :class:`OSTreeError` they raise fails this one request; any other exception leaves
    ``step``.
    """

    __slots__ = ()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        raise NotImplementedError

    def restart(self) -> None:
        """Drop everything written so far: the body comes again from its start."""
        raise NotImplementedError


class MemorySink(Sink):
    """Keeps the body in memory."""

    __slots__ = ("chunks",)

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def write(self, chunk: bytes) -> None:
        """Keep the chunk."""
        self.chunks.append(chunk)

    def restart(self) -> None:
        """Drop all chunks."""
        self.chunks.clear()

    def value(self) -> bytes:
        """The body so far."""
        return self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)


class Fetcher(Closing):
    """Base of all fetchers; see the module for threads and errors.

    Attributes:
        hold: While true, waiting requests are not started; those under way go on.  For engines
            whose writers cannot keep up.  ``run`` would not end while requests wait behind it.
    """

    def __init__(self) -> None:
        self.hold = False

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        """Queue a request; ``done`` gets its outcome, exactly once, from within ``step``.

        Allowed inside callbacks.  Nothing is sent before the next ``step``.

        Raises:
            FetchError: if the URL is not one that can be fetched at all; ``done`` is not called.
        """
        raise NotImplementedError

    def step(self, timeout: float | None = None) -> int:
        """Wait for something to happen, at most ``timeout`` seconds, and run the callbacks.

        Returns also after :meth:`wake`.  Without a timeout and without requests it waits for
        ``wake`` alone, which suits an engine whose worker threads are still busy.

        Returns:
            The number of requests not done yet.

        Raises:
            BaseException: whatever a callback raised; everything outstanding is cancelled then.
        """
        raise NotImplementedError

    def outstanding(self) -> int:
        """The number of requests submitted and not done yet."""
        raise NotImplementedError

    def wake(self) -> None:
        """Make a ``step`` that waits, or else the next one, return at once; from any thread."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Forget every outstanding request; their ``done`` is not called."""
        raise NotImplementedError

    def close(self) -> None:
        """Cancel everything and release connections; a second call does nothing."""
        raise NotImplementedError

    @property
    def divisible(self) -> bool:
        """Whether forked processes may do some of the fetching, see :meth:`in_child`."""
        return False

    def in_child(self, most: int) -> Fetcher:
        """In a process that was forked: a fetcher that is set up as this one, to be used in its place.

        It has connections of its own, at most ``most`` requests under way, and no patience: what
        fails is not tried again, nor elsewhere.
        """
        raise NotImplementedError

    def share(self, most: int) -> bool:
        """Have at most ``most`` requests under way from now on, and no more connections at rest.

        Returns:
            Whether there are no more any longer; those that there were are not cut off.
        """
        raise NotImplementedError

    def watch(self, fd: int, on_readable: Callable[[], None]) -> None:
        """Call ``on_readable`` from within ``step`` as long as a descriptor is readable."""
        raise NotImplementedError

    def run(self) -> None:
        """Drive until everything is done, what callbacks submit meanwhile included."""
        while self.outstanding():
            self.step()

    def fetch(self, request: Request, sink: Sink) -> Response:
        """Get one URL and return when it is there; other requests move on meanwhile.

        Raises:
            OSTreeError: as handed to ``done`` otherwise.
        """
        outcomes: list[Response | OSTreeError] = []
        self.submit(request, sink, outcomes.append)
        while not outcomes:
            self.step()
        outcome = outcomes[0]
        if isinstance(outcome, OSTreeError):
            raise outcome
        return outcome

    def fetch_bytes(
        self,
        url: str,
        *,
        limit: int,
        headers: Sequence[tuple[str, str]] = (),
        if_none_match: str | None = None,
        if_modified_since: int | None = None,
    ) -> FetchedBytes | None:
        """Get a small file as a whole; ``None`` if the server has none (404, 403, 410).

        Raises:
            TransferError: for every other failure, more than ``limit`` bytes among them.
        """
        request = Request(
            url,
            max_size=limit,
            headers=headers,
            if_none_match=if_none_match,
            if_modified_since=if_modified_since,
            validators=True,
        )
        return self.fetch_all([request])[0]

    def fetch_all(self, requests: Sequence[Request]) -> list[FetchedBytes | None]:
        """Get several small files at once, each as :meth:`fetch_bytes` does.

        Raises:
            TransferError: for the first that fails, in the order of the requests.
        """
        fetches = [_BytesFetch(request) for request in requests]
        for fetch in fetches:
            self.submit(fetch.request, fetch.sink, fetch.outcomes.append)
        while not all(fetch.outcomes for fetch in fetches):
            self.step()
        return [fetch.result() for fetch in fetches]


class _BytesFetch:
    """A small file on its way."""

    __slots__ = ("outcomes", "request", "sink")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.sink = MemorySink()
        self.outcomes: list[Response | OSTreeError] = []

    def result(self) -> FetchedBytes | None:
        """What has come."""
        outcome = self.outcomes[0]
        if isinstance(outcome, OSTreeError):
            if is_not_found(outcome):
                return None
            raise outcome
        return FetchedBytes(
            self.sink.value(),
            etag=outcome.etag,
            last_modified=outcome.last_modified,
            not_modified=outcome.not_modified,
        )


class FetcherOptions:
    """How a fetcher talks to servers; the defaults are those of a remote without any option.

    Attributes:
        user_agent_extra: Appended to the user agent, after a blank.
        headers: Extra header lines of every request, as (name, value).
        cookie_jar: Path of a Netscape cookie jar, read only; ignored unless a regular file.
        proxy: URL of a proxy; if ``None`` or empty, the usual environment variables apply.
        http2: Whether HTTP/2 may be negotiated (over TLS); otherwise HTTP/1.1.
        tls_permissive: Do not verify the certificate of the server.
        tls_ca_path: PEM file of trust anchors instead of the system's.
        tls_client_cert_path: Client certificate (path or ``pkcs11:`` URI), with the key beside it.
        tls_client_key_path: Key of the client certificate.
        accept_compressed: Offer compressed transfer; sinks get the decoded body.
        max_outstanding: Requests under way at once; further ones wait.
        connect_timeout: In seconds.
        low_speed_limit: A transfer slower than this many bytes per second …
        low_speed_time: … during so many (whole) seconds is given up; 0 turns that off.
        max_speed: Most bytes per second of one transfer; 0 for no limit.
        timeout: Seconds for one whole transfer; ``None`` for no limit.
    """

    __slots__ = (
        "accept_compressed",
        "connect_timeout",
        "cookie_jar",
        "headers",
        "http2",
        "low_speed_limit",
        "low_speed_time",
        "max_outstanding",
        "max_speed",
        "proxy",
        "timeout",
        "tls_ca_path",
        "tls_client_cert_path",
        "tls_client_key_path",
        "tls_permissive",
        "user_agent_extra",
    )

    def __init__(
        self,
        *,
        user_agent_extra: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        cookie_jar: str | None = None,
        proxy: str | None = None,
        http2: bool = True,
        tls_permissive: bool = False,
        tls_ca_path: str | None = None,
        tls_client_cert_path: str | None = None,
        tls_client_key_path: str | None = None,
        accept_compressed: bool = False,
        max_outstanding: int = 8,
        connect_timeout: float = 30.0,
        low_speed_limit: int = 1000,
        low_speed_time: int = 30,
        max_speed: int = 0,
        timeout: float | None = None,
    ) -> None:
        self.user_agent_extra = user_agent_extra
        self.headers = headers
        self.cookie_jar = cookie_jar
        self.proxy = proxy
        self.http2 = http2
        self.tls_permissive = tls_permissive
        self.tls_ca_path = tls_ca_path
        self.tls_client_cert_path = tls_client_cert_path
        self.tls_client_key_path = tls_client_key_path
        self.accept_compressed = accept_compressed
        self.max_outstanding = max_outstanding
        self.connect_timeout = connect_timeout
        self.low_speed_limit = low_speed_limit
        self.low_speed_time = low_speed_time
        self.max_speed = max_speed
        self.timeout = timeout

    def in_child(self, most: int) -> FetcherOptions:
        """The same for a forked process, which is told the cookies that there are by then."""
        from copy import copy

        options = copy(self)
        options.cookie_jar = None
        options.max_outstanding = most
        return options

    @property
    def user_agent(self) -> str:
        """The whole ``User-Agent``."""
        extra = self.user_agent_extra
        return f"{DEFAULT_USER_AGENT} {extra}" if extra else DEFAULT_USER_AGENT


def displayed_url(url: str) -> str:
    """The URL without the password it may carry, for messages."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    # Any of these ends the authority; an "@" behind them is part of a path.
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    userinfo, at_sign, host = rest[:end].rpartition("@")
    if not at_sign:
        return url
    return f"{scheme}://{userinfo.partition(':')[0]}@{host}{rest[end:]}"


def check_url(url: str) -> None:
    """Refuse what is not an absolute http, https or file URL.

    Raises:
        FetchError: with upstream's words.
    """
    scheme, separator, _rest = url.partition(":")
    if not separator or not scheme.isascii() or not scheme.replace("+", "a").isalnum():
        raise FetchError("URI is not absolute, and no base URI was provided")
    if scheme.lower() not in {"http", "https", "file"}:
        raise FetchError(f"Invalid URI scheme in {displayed_url(url)}")
    if "\0" in url:
        raise FetchError(f"Invalid URI {displayed_url(url)!r}")


def check_headers(headers: Sequence[tuple[str, str]]) -> None:
    """Refuse header lines that would break out of their line.

    Raises:
        FetchError: naming the header.
    """
    for name, value in headers:
        if not name or not (name + value).replace("\t", " ").isprintable() or ":" in name:
            raise FetchError(f"Invalid HTTP header {name!r}")


def status_error(url: str, status: int) -> StatusError:
    """The error of an HTTP status."""
    return StatusError(
        f"While fetching {displayed_url(url)}: Server returned HTTP {status}", status=status
    )


def too_large_error(url: str, limit: int) -> TooLargeError:
    """The error of a body that is larger than ``limit`` bytes."""
    return TooLargeError(f"URI {displayed_url(url)} exceeded maximum size of {limit} bytes")
