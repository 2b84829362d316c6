"""One transfer of the curl engine: an easy handle, set up once and used for many requests.

What curl calls back inside a transfer only takes notes: the status cannot be asked for there, and
an exception would be printed and forgotten.
"""

from __future__ import annotations

import os
import stat

from ostree.errors import OSTreeError, StatusError, TransferError
from ostree.net.curl_error import SIZE_EXCEEDED, curl_error
from ostree.net.curl_library import pycurl
from ostree.net.fetcher import Request, Response, Sink, status_error, too_large_error
from ostree.net.http_date import format_http_date, parse_http_date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    from ostree.net.fetcher import Done, FetcherOptions

    P = ParamSpec("P")
    R = TypeVar("R")

_BUFFER_SIZE = 128 * 1024
_MAX_REDIRECTS = 20
_ERROR_BODY_LIMIT = 256 * 1024
_COOKIE_JAR_LIMIT = 1024 * 1024

# The library's own default is a path of the system it was built on, which need not be this one.
_SYSTEM_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def guarded(callback: Callable[P, R], raised: list[BaseException]) -> Callable[P, R | int]:
    """The callback for curl: what it raises is noted, for C code would print and forget it."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R | int:
        try:
            return callback(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 (raised again by the engine)
            raised.append(error)
            return 0

    return call


class Transfer:
    """One easy handle and the request it is busy with.

    Attributes:
        status: HTTP status, known from the first piece of body on; 0 before.
        received: Bytes of body so far, those included that were there before the request.
        chunks: Those of them that the sink has not been given yet.
        dirty: Where the transfer puts itself when it has such chunks.
        error: What the sink raised inside a call of curl's.
    """

    __slots__ = (
        "chunks",
        "curl",
        "current_headers",
        "current_limit",
        "current_offset",
        "dirty",
        "done",
        "error",
        "etag",
        "is_file",
        "last_modified",
        "limit",
        "on_header",
        "received",
        "request",
        "sink",
        "standing_headers",
        "status",
        "watches_headers",
    )

    def __init__(
        self,
        options: FetcherOptions,
        share: pycurl.CurlShare,
        dirty: list[Transfer],
        raised: list[BaseException],
    ) -> None:
        self.curl = pycurl.Curl()
        self.dirty = dirty
        self.on_header = guarded(self._on_header, raised)
        self.standing_headers = [_header_line(name, value) for name, value in options.headers]
        self.current_headers: list[bytes] = []
        self.current_limit = 0
        self.current_offset = 0
        self.watches_headers = False
        self.etag: str | None = None
        self.last_modified: int | None = None
        self.error: OSTreeError | None = None
        self.release()
        _set_up(self.curl, options)
        self.curl.setopt(pycurl.SHARE, share)
        self.curl.setopt(pycurl.COOKIEFILE, "")  # names no file, but turns the use of cookies on
        self.curl.setopt(pycurl.WRITEFUNCTION, guarded(self._on_body, raised))

    def release(self) -> None:
        """Let go of the request and what it holds."""
        self.request = _NO_REQUEST
        self.sink = _NO_SINK
        self.done: Done = _not_done
        self.error = None
        self.chunks: list[bytes] = []

    def prepare(self, request: Request, sink: Sink, done: Done) -> None:
        """Set on the handle what differs from the request before."""
        self.request = request
        self.sink = sink
        self.done = done
        self.status = 0
        self.received = offset = request.offset
        self.limit = request.max_size
        self.is_file = request.url[:5].lower() == "file:"
        curl = self.curl
        curl.setopt(pycurl.URL, _wire_url(request.url))
        if offset != self.current_offset:
            curl.setopt(pycurl.RESUME_FROM_LARGE, offset)
            self.current_offset = offset
        # 0 is no limit to curl; ours is checked as chunks arrive.
        limit = max(0, (request.max_size or 0) - offset)
        if limit != self.current_limit:
            curl.setopt(pycurl.MAXFILESIZE_LARGE, limit)
            self.current_limit = limit
        headers = self._headers(request)
        if headers != self.current_headers:
            if headers:
                curl.setopt(pycurl.HTTPHEADER, headers)
            else:  # an empty list would be ignored
                curl.unsetopt(pycurl.HTTPHEADER)
            self.current_headers = headers
        if request.validators:
            self.etag = self.last_modified = None
        if request.validators != self.watches_headers:
            if request.validators:
                curl.setopt(pycurl.HEADERFUNCTION, self.on_header)
            else:
                _forget_headers(curl)
                self.etag = self.last_modified = None
            self.watches_headers = request.validators

    def outcome(self, code: int) -> Response | OSTreeError:
        """What to tell about a transfer that curl ended with ``code``."""
        request = self.request
        if self.error is not None:
            return self.error
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        limit = request.max_size
        is_too_large = code == SIZE_EXCEEDED or (limit is not None and self.received > limit)
        # An error status says more than how its body, which nobody reads, ended.
        if status >= 400 or (is_too_large and status >= 300):
            return self._busy(status_error(request.url, status))
        if is_too_large:
            return too_large_error(request.url, limit or 0)
        if code:
            return self._cut_off(curl_error(request.url, code), status)
        if status == 0:  # file://
            status = 200
        if not 200 <= status < 300 and not (status == 304 and _is_conditional(request)):
            return status_error(request.url, status)
        return Response(status, self.received, etag=self.etag, last_modified=self.last_modified)

    def _busy(self, error: StatusError) -> StatusError:
        """Note when the server wants to be asked again."""
        # Debian 12 has a pycurl that cannot ask for it; the server is asked again after a usual time.
        info = getattr(pycurl, "RETRY_AFTER", None)
        error.retry_after = None if info is None else self.curl.getinfo(info) or None
        return error

    def _cut_off(self, error: TransferError, status: int) -> TransferError:
        """Note how far the body had come."""
        if 200 <= status < 300:
            error.received = self.received
            modified = self.curl.getinfo(pycurl.INFO_FILETIME)
            error.last_modified = modified if modified >= 0 else None
        return error

    def flush(self) -> OSTreeError | None:
        """Give the sink what has arrived; an error is a reason to end the transfer now."""
        chunks = self.chunks
        self.chunks = []
        if not self.status:
            self.status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        if not 200 <= self.status < 300:
            # Short error pages are read to their end, which keeps the connection.
            if self.received > _ERROR_BODY_LIMIT:
                return status_error(self.request.url, self.status)
            return None
        try:
            for chunk in chunks:
                self.sink.write(chunk)
        except OSTreeError as error:
            return error
        return None

    def _headers(self, request: Request) -> list[bytes]:
        """The header lines besides curl's own."""
        conditional = _is_conditional(request) or request.if_range is not None
        if not request.headers and not conditional:
            return self.standing_headers
        lines = self.standing_headers + [_header_line(*header) for header in request.headers]
        if request.if_none_match is not None:
            lines.append(_header_line("If-None-Match", request.if_none_match))
        if request.if_modified_since is not None:
            date = format_http_date(request.if_modified_since)
            lines.append(_header_line("If-Modified-Since", date))
        if request.if_range is not None:
            lines.append(_header_line("If-Range", format_http_date(request.if_range)))
        return lines

    def _on_body(self, chunk: bytes) -> int | None:
        """Note a piece of body; anything but ``None`` makes curl abort the transfer."""
        self.received += len(chunk)
        if self.limit is not None and self.received > self.limit:
            return 0
        if self.is_file:
            # There is no status to wait for, and curl reads a file of any size in one call.
            try:
                self.sink.write(chunk)
            except OSTreeError as error:
                self.error = error
                return 0
            return None
        if not self.chunks:
            self.dirty.append(self)
        self.chunks.append(chunk)
        return None

    def _on_header(self, line: bytes) -> None:
        """Note the validators; each response of a redirect chain starts afresh."""
        if line.startswith(b"HTTP/"):
            self.etag = self.last_modified = None
            return
        name, _colon, value = line.decode("iso-8859-1").partition(":")
        name = name.lower()
        if name == "etag":
            self.etag = value.strip()
        elif name == "last-modified":
            self.last_modified = parse_http_date(value.strip())


def _not_done(_outcome: Response | OSTreeError) -> None:
    """Stands for the callback in idle handles."""


def _is_conditional(request: Request) -> bool:
    return request.if_none_match is not None or request.if_modified_since is not None


def _header_line(name: str, value: str) -> bytes:
    # "Name;" is how curl is told to send a header without a value.
    line = f"{name}: {value}" if value else f"{name};"
    return line.encode("utf-8", "surrogateescape")


def _wire_url(url: str) -> bytes:
    """The URL as curl takes it; characters beyond ASCII are escaped behind the host name."""
    if url.isascii():
        return url.encode("ascii")
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    escaped = "".join(
        c
        if c.isascii()
        else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogateescape"))
        for c in path
    )
    return f"{scheme}{separator}{host}{slash}{escaped}".encode("utf-8", "surrogateescape")


def _set_up(curl: pycurl.Curl, options: FetcherOptions) -> None:
    """Set everything that is the same for all requests."""
    web = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
    curl.setopt(pycurl.PROTOCOLS, web | pycurl.PROTO_FILE)
    curl.setopt(pycurl.REDIR_PROTOCOLS, web)
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    curl.setopt(pycurl.MAXREDIRS, _MAX_REDIRECTS)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.BUFFERSIZE, _BUFFER_SIZE)
    curl.setopt(pycurl.USERAGENT, options.user_agent)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, round(options.connect_timeout * 1000)))
    if options.timeout is not None:
        curl.setopt(pycurl.TIMEOUT_MS, max(1, round(options.timeout * 1000)))
    if options.low_speed_time:
        curl.setopt(pycurl.LOW_SPEED_LIMIT, options.low_speed_limit)
        curl.setopt(pycurl.LOW_SPEED_TIME, options.low_speed_time)
    if options.http2 and pycurl.version_info()[4] & pycurl.VERSION_HTTP2:
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)
    else:
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    if options.proxy:
        curl.setopt(pycurl.PROXY, options.proxy)
    if options.max_speed:
        curl.setopt(pycurl.MAX_RECV_SPEED_LARGE, options.max_speed)
    curl.setopt(pycurl.OPT_FILETIME, 1)
    if options.accept_compressed:
        curl.setopt(pycurl.ACCEPT_ENCODING, "")
    _set_up_tls(curl, options)


def _set_up_tls(curl: pycurl.Curl, options: FetcherOptions) -> None:
    if options.tls_permissive:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
    anchors = options.tls_ca_path or next(filter(os.path.exists, _SYSTEM_CA_FILES), None)
    if anchors:
        curl.setopt(pycurl.CAINFO, anchors)
    if options.tls_ca_path:
        # The system's directory would be searched too.
        curl.unsetopt(pycurl.CAPATH)
    if options.tls_client_cert_path:
        curl.setopt(pycurl.SSLCERT, options.tls_client_cert_path)
    if options.tls_client_key_path:
        curl.setopt(pycurl.SSLKEY, options.tls_client_key_path)


def load_cookies(curl: pycurl.Curl, path: str) -> None:
    """Put the cookies of a jar, if it is a regular file, into the store all handles share."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        text = os.read(descriptor, _COOKIE_JAR_LIMIT) if is_file else b""
    finally:
        os.close(descriptor)
    # Told line by line, for curl would read the file again at each request and so undo what
    # servers have set since.
    for line in text.split(b"\n"):
        if line.count(b"\t") == 6 and b"\0" not in line:
            curl.setopt(pycurl.COOKIELIST, line)


_NO_REQUEST = Request("")
_NO_SINK = Sink()


def _forget_headers(curl: pycurl.Curl) -> None:
    """Have no function called for headers, or where pycurl cannot (Debian 12's), one that does nothing."""
    try:
        curl.unsetopt(pycurl.HEADERFUNCTION)
    except TypeError:
        curl.setopt(pycurl.HEADERFUNCTION, _ignore)


def _ignore(_line: bytes) -> None:
    return
