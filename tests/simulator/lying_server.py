"""A web server that serves a directory truthfully, except where a test tells it to lie.

::

    with LyingServer(repo) as server:
        server.lie("/objects/*.filez", Status(500), times=2)
        server.lie("/summary", Truncated(10))
        pull(server.url)
        assert server.paths() == [...]

Patterns are those of :mod:`fnmatch`, on the path without the query.  The last lie told about a path
counts; one told a number of ``times`` is used up after so many requests.
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import sys
import threading
from email.utils import formatdate
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    import ssl
    from types import TracebackType
    from typing import Self


class LoggedRequest(NamedTuple):
    """A request as it came; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class Lie:
    """What is done instead of serving the file."""

    def tell(self, handler: Handler) -> None:
        """Answer a request.

        ``handler.truth`` is the real content of the file (or empty), ``handler.validators`` are its
        headers.
        """
        raise NotImplementedError


class Status(Lie):
    """Answers with a status, and a body if one is given."""

    def __init__(
        self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    def tell(self, handler: Handler) -> None:
        handler.answer(self.status, self.body, self.headers)


class Redirect(Status):
    """Sends the client to another URL."""

    def __init__(self, location: str, status: int = 302) -> None:
        super().__init__(status, b"elsewhere", (("Location", location),))


class Content(Lie):
    """Serves other bytes than the file's."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def tell(self, handler: Handler) -> None:
        handler.answer(200, self.body)


class Garbage(Lie):
    """Sends bytes that are no HTTP at all."""

    def __init__(self, data: bytes = b"\x00\x01garbage\xff\r\n\r\n") -> None:
        self.data = data

    def tell(self, handler: Handler) -> None:
        handler.wfile.write(self.data)
        handler.close_connection = True


class Truncated(Lie):
    """Announces the whole length, sends only the first ``keep`` bytes and closes."""

    def __init__(self, keep: int) -> None:
        self.keep = keep

    def tell(self, handler: Handler) -> None:
        handler.head(200, (("Content-Length", str(len(handler.truth))), *handler.validators))
        handler.wfile.write(handler.truth[: self.keep])
        handler.close_connection = True


class Endless(Lie):
    """Sends a body of no announced length until the client goes away.

    With ``honest`` it begins with the true one.
    """

    def __init__(
        self, status: int = 200, piece: bytes = b"x" * 16384, *, honest: bool = False
    ) -> None:
        self.status = status
        self.piece = piece
        self.honest = honest

    def tell(self, handler: Handler) -> None:
        handler.head(self.status, (("Connection", "close"),))
        handler.close_connection = True
        if self.honest:
            handler.wfile.write(handler.truth)
        while not handler.server.stopping.is_set():
            handler.wfile.write(self.piece)


class Trickle(Lie):
    """Sends the file ``size`` bytes at a time, with pauses."""

    def __init__(self, size: int = 1, interval: float = 0.05) -> None:
        self.size = size
        self.interval = interval

    def tell(self, handler: Handler) -> None:
        handler.head(200, (("Content-Length", str(len(handler.truth))),))
        for start in range(0, len(handler.truth), self.size):
            handler.wfile.write(handler.truth[start : start + self.size])
            if handler.server.stopping.wait(self.interval):
                handler.close_connection = True
                return


class Reset(Lie):
    """Resets the connection, after ``keep`` bytes of the file if that is not zero."""

    def __init__(self, keep: int = 0) -> None:
        self.keep = keep

    def tell(self, handler: Handler) -> None:
        if self.keep:
            handler.head(200, (("Content-Length", str(len(handler.truth))),))
            handler.wfile.write(handler.truth[: self.keep])
        # Closing a socket that must not linger sends a reset.
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.server.abandon(handler.connection)
        handler.close_connection = True


class Silence(Lie):
    """Accepts the request and never answers."""

    def tell(self, handler: Handler) -> None:
        handler.server.stopping.wait()
        handler.close_connection = True


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: _Server
    truth = b""
    validators: tuple[tuple[str, str], ...] = ()
    protocol_version = "HTTP/1.1"
    # Head and body are written one after the other; the body must not wait for an acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        lie = self.server.log(LoggedRequest(self.command, self.path, headers), path)
        file = self.server.root / unquote(path).lstrip("/")
        is_file = ".." not in file.parts and file.is_file()
        truth = self.truth = file.read_bytes() if is_file else b""
        etag = f'"{hashlib.sha256(truth).hexdigest()}"'
        modified = formatdate(os.stat(file).st_mtime if is_file else 0, usegmt=True)
        validators = self.validators = (("ETag", etag), ("Last-Modified", modified))
        if lie is not None:
            lie.tell(self)
        elif not is_file:
            self.answer(404, b"not here")
        else:
            start = self.first_byte(headers, modified)
            if headers.get("if-none-match") == etag:
                self.head(304, validators)
            elif start is not None:
                part = ("Content-Range", f"bytes {start}-{len(truth) - 1}/{len(truth)}")
                self.answer(206, truth[start:], (part, *validators))
            else:
                self.answer(200, truth, validators)

    def first_byte(self, headers: dict[str, str], modified: str) -> int | None:
        """Where the part of the file begins that was asked for; None for all of it."""
        unit, _, start = headers.get("range", "").partition("bytes=")
        if unit or not start.endswith("-") or headers.get("if-range", modified) != modified:
            return None
        return int(start[:-1])

    def do_HEAD(self) -> None:
        self.do_GET()

    def answer(self, status: int, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Send a whole, well-formed answer."""
        self.head(status, (("Content-Length", str(len(body))), *headers))
        if self.command != "HEAD":
            self.wfile.write(body)

    def head(self, status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Send a status line and headers."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the server has a log of its own."""


class _Rule:
    def __init__(self, pattern: str, lie: Lie, times: int | None) -> None:
        self.pattern = pattern
        self.lie = lie
        self.times = times


class _Server(ThreadingMixIn, HTTPServer):
    """The sockets and threads behind :class:`LyingServer`."""

    request_queue_size = 64

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stopping = threading.Event()
        self.requests: list[LoggedRequest] = []
        self.rules: list[_Rule] = []
        self.errors: list[BaseException] = []
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)

    def log(self, request: LoggedRequest, path: str) -> Lie | None:
        """Note a request; the lie to tell about it, if any."""
        with self._lock:
            self.requests.append(request)
            for rule in reversed(self.rules):
                if rule.times != 0 and fnmatchcase(path, rule.pattern):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule.lie
        return None

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            self.connections += 1
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            known = request in self._open
            self._open.discard(request)
        if known:
            super().shutdown_request(request)
        else:
            request.close()

    def abandon(self, connection: socket.socket) -> None:
        """Close a connection without the usual farewell."""
        with self._lock:
            self._open.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are expected here; all else is reported at the end."""
        del request, client_address
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.errors.append(error)

    def stop(self) -> None:
        """Wake up every thread and wait for it."""
        self.stopping.set()
        self.shutdown()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # gone already
                    continue
        self.server_close()


class LyingServer:
    """Serves ``root`` on a free port of the loopback interface while the ``with`` block runs.

    With a TLS context it speaks https.

    Attributes:
        url: Of the root, without a slash at its end.
    """

    def __init__(self, root: str | os.PathLike[str], *, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(Path(root))
        scheme = "http"
        if tls is not None:
            scheme = "https"
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._thread.join()
        if self._server.errors and exc is None:
            raise self._server.errors[0]

    def lie(self, pattern: str, lie: Lie, *, times: int | None = None) -> None:
        """From now on tell ``lie`` about matching paths, ``times`` times or for ever."""
        self._server.rules.append(_Rule(pattern, lie, times))

    def be_honest(self) -> None:
        """Forget all lies."""
        self._server.rules.clear()

    @property
    def requests(self) -> list[LoggedRequest]:
        """All requests so far, in the order of their arrival."""
        return list(self._server.requests)

    def paths(self) -> list[str]:
        """The paths of all requests so far."""
        return [request.path for request in self._server.requests]

    @property
    def connections(self) -> int:
        """How many connections clients have opened."""
        return self._server.connections
