"""The test server: a directory over HTTP, with faults on request (§9).

Not for the public: it shows whatever is in the directory.  For that there is ``ostree serve``.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn

from ostree.errors import OSTreeError
from ostree.net.http_date import format_http_date
from ostree.server.plain_tree import Found, find
from ostree.server.preconditions import is_not_modified
from ostree.server.ranges import parse_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.server.faults import Faults

    Headers = Sequence[tuple[str, str]]

_CHUNK = 1 << 18
_PAUSE = 0.5
#: Silent connections are closed after so many seconds.
_PATIENCE = 300


class TrivialServer(ThreadingMixIn, HTTPServer):
    """Serves a directory until :meth:`shutdown`.

    Args:
        root: The directory.
        faults: What goes wrong.
        log: Is given lines without a time; from several threads.
        port: 0 for any free one.
        bind: The address to listen on; all of them if None.

    Raises:
        OSTreeError: if that cannot be had.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        root: str,
        faults: Faults,
        log: Callable[[str], None],
        *,
        port: int = 0,
        bind: str | None = None,
    ) -> None:
        self.root = root
        self.faults = faults
        self.log = log
        both = bind is None and socket.has_dualstack_ipv6()
        self.address_family = socket.AF_INET6 if both or ":" in (bind or "") else socket.AF_INET
        self._accepts_both = both
        try:
            # An empty name stands for all addresses.
            super().__init__((bind or ("::" if both else ""), port), _Handler)
        except (OSError, OverflowError) as error:
            reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
            raise OSTreeError(f"Error binding to port {port}: {reason}") from error

    def server_bind(self) -> None:
        """Take the address, that of IPv4 as well where all are meant."""
        if self._accepts_both:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients come and go; one that went away is nothing to tell."""

    def stop_when_gone(self, watched: str) -> None:
        """Shut down when a file or directory is deleted; returns at once."""
        threading.Thread(target=self._watch, args=(watched,), daemon=True).start()

    def _watch(self, watched: str) -> None:
        quiet = threading.Event()
        while os.path.lexists(watched):
            quiet.wait(_PAUSE)
        self.log("root directory removed, exiting")
        self.shutdown()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: TrivialServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _PATIENCE

    def do_GET(self) -> None:
        self.server.log(f"serving {self.path.partition('?')[0]}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        refusal = self.server.faults.check(headers)
        if refusal is not None and refusal.reason:
            self.server.log(refusal.reason)
        found = Found(403)
        if refusal is None:
            found = find(self.server.root, self.path)
            if found.status != HTTPStatus.FORBIDDEN:
                refusal = self.server.faults.random_error()
        if refusal is not None:
            self._answer(refusal.status, headers=refusal.headers)
        elif found.file is not None:
            self._send_file(found.file, headers)
        elif found.location:
            host = headers.get("host", "")
            self._answer(found.status, headers=[("Location", f"http://{host}{found.location}")])
        elif found.page:
            self._answer(200, found.page, [("Content-Type", "text/html")])
        else:
            self._answer(found.status)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send_file(self, path: str, headers: dict[str, str]) -> None:
        try:
            file = open(path, "rb")  # noqa: SIM115 - closed by the with block below
        except OSError:
            self._answer(403)
            return
        with file:
            info = os.fstat(file.fileno())
            etag = f'"{hashlib.file_digest(file, "sha256").hexdigest()}"'
            modified = int(info.st_mtime)
            validators = [("Last-Modified", format_http_date(modified)), ("ETag", etag)]
            if is_not_modified(headers, etag, modified):
                self._answer(304, headers=validators)
                return
            start, end, size = 0, info.st_size, info.st_size
            parts = parse_range(headers["range"], size) if "range" in headers else None
            if parts == []:
                self._answer(416, headers=validators)
                return
            if parts is not None and len(parts) == 1:
                start, end = parts[0]
                validators.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
            is_cut = self.server.faults.cuts_off(self.path, headers)
            if is_cut:
                validators.append(("Connection", "close"))
            self._head(206 if (start, end) != (0, size) else 200, end - start, validators)
            if self.command == "GET":
                self._copy(file.fileno(), start, start + (end - start) // 2 if is_cut else end)
            self.close_connection |= is_cut

    def _copy(self, descriptor: int, start: int, end: int) -> None:
        self.wfile.flush()
        while start < end:
            sent = os.sendfile(
                self.connection.fileno(), descriptor, start, min(_CHUNK, end - start)
            )
            if not sent:  # the file has become shorter
                self.close_connection = True
                return
            start += sent

    def _answer(self, status: int, body: bytes = b"", headers: Headers = ()) -> None:
        self._head(status, len(body), headers)
        if self.command == "GET":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request that can be served, without the base class's page."""
        del message, explain
        self.close_connection |= code != HTTPStatus.NOT_IMPLEMENTED
        self._answer(code)

    def _head(self, status: int, size: int, headers: Headers) -> None:
        reason = HTTPStatus(status).phrase
        # Upstream logs what it had in mind before its library found the range.
        logged = HTTPStatus.OK if status == HTTPStatus.PARTIAL_CONTENT else HTTPStatus(status)
        self.server.log(f"  status: {logged.phrase} ({logged.value})")
        self.send_response(status, reason)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def version_string(self) -> str:
        """What the server calls itself."""
        return "ostree-httpd"

    def log_message(self, format: str, *args: object) -> None:
        """Requests are logged in upstream's manner instead."""
