"""The ASGI application that serves repositories read-only over HTTP.

It speaks ASGI itself: a request for an object costs a few system calls and two messages, where a
framework would add more work than the request has.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from http import HTTPStatus
from typing import NamedTuple, TypedDict

from ostree.net.http_date import format_http_date
from ostree.server.paths import split_path
from ostree.server.preconditions import allows_range, is_not_modified
from ostree.server.ranges import parse_range
from ostree.server.served_tree import ServedTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    Message = dict[str, object]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_CHUNK_SIZE = 256 * 1024
_FILE_TYPE = b"application/octet-stream"


class Scope(TypedDict):
    """What ASGI tells about a request, as far as it is used here."""

    type: str
    method: str
    raw_path: bytes
    headers: Iterable[tuple[bytes, bytes]]
    client: tuple[str, int] | None


class Access(NamedTuple):
    """A request that was answered, for a log.

    Attributes:
        client: Address of the client, without its port; empty if unknown.
        method: As sent.
        path: As sent, still percent-encoded, without the query.
        status: Of the answer.
        size: Bytes of body sent, less than announced if the client went away.
    """

    client: str
    method: str
    path: str
    status: int
    size: int


class _Piece(NamedTuple):
    """Part of a body: literal bytes, then bytes ``start`` to ``end`` of the file."""

    prefix: bytes
    start: int
    end: int


class _Reply:
    """An answer, ready to be sent; owns the descriptor of its file."""

    __slots__ = ("descriptor", "headers", "pieces", "status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        self.headers = headers
        self.pieces: list[_Piece] = []
        self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


class Application:
    """Serves the repositories in and below a directory; see :class:`ServedTree` for what is shown.

    GET and HEAD, single and multiple byte ranges, conditional requests; never any transfer coding
    of its own, for objects are compressed already.  Files are sent in chunks and memory stays
    bounded however large they are.

    Args:
        root: The directory.
        on_access: Called after each request.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        on_access: Callable[[Access], None] | None = None,
    ) -> None:
        self._tree = ServedTree(root)
        self._on_access = on_access

    def close(self) -> None:
        """Release the root directory."""
        self._tree.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (the interface of ASGI)."""
        if scope["type"] != "http":
            return
        method = scope["method"]
        raw_path = scope["raw_path"].partition(b"?")[0]
        size = 0
        with self._reply(method, raw_path, _header_map(scope["headers"])) as reply:
            await send(
                {
                    "type": "http.response.start",
                    "status": reply.status,
                    "headers": reply.headers,
                }
            )
            if method == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                size = await _send_body(reply, receive, send)
        if self._on_access is not None:
            client = scope["client"]
            path = raw_path.decode("iso-8859-1")
            address = client[0] if client else ""
            self._on_access(Access(address, method, path, reply.status, size))

    def _reply(self, method: str, raw_path: bytes, headers: Mapping[str, str]) -> _Reply:
        """Decide what to answer, up to opening the file."""
        if method not in {"GET", "HEAD"}:
            return _plain_reply(HTTPStatus.METHOD_NOT_ALLOWED, (b"allow", b"GET, HEAD"))
        components = split_path(raw_path)
        if components is None:
            return _plain_reply(HTTPStatus.NOT_FOUND)
        try:
            descriptor = self._tree.open(components)
        except OSError as error:
            return _plain_reply(_status_of(error))
        if descriptor is None:
            return _plain_reply(HTTPStatus.NOT_FOUND)
        return _file_reply(descriptor, headers, ranges=method == "GET")


def _plain_reply(status: HTTPStatus, *headers: tuple[bytes, bytes]) -> _Reply:
    body = f"{status.value} {status.phrase}\n".encode()
    reply = _Reply(
        status.value,
        [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            *headers,
        ],
    )
    reply.pieces.append(_Piece(body, 0, 0))
    return reply


def _file_reply(descriptor: int, headers: Mapping[str, str], *, ranges: bool) -> _Reply:
    """Answer with a file, a part of it, or that the client has it; takes the descriptor over."""
    status = os.fstat(descriptor)
    size, modified = status.st_size, int(status.st_mtime)
    etag = f'"{status.st_ino:x}-{size:x}-{status.st_mtime_ns:x}"'
    validators = [
        (b"etag", etag.encode("ascii")),
        (b"last-modified", format_http_date(modified).encode("ascii")),
        (b"accept-ranges", b"bytes"),
    ]
    reply = _Reply(200, validators)
    reply.descriptor = descriptor
    if is_not_modified(headers, etag, modified):
        reply.status = 304
        return reply
    wanted = headers.get("range") if ranges else None
    parts = None
    if wanted is not None and allows_range(headers, etag, modified, time.time()):
        parts = parse_range(wanted, size)
    if parts is None:
        parts = [(0, size)]
        content_type = _FILE_TYPE
    elif not parts:
        reply.status = 416
        reply.headers += [(b"content-range", b"bytes */%d" % size), (b"content-length", b"0")]
        return reply
    else:
        reply.status = 206
        content_type = _FILE_TYPE
        if len(parts) > 1:
            boundary = os.urandom(16).hex().encode("ascii")
            reply.pieces = _multipart(parts, size, boundary)
            content_type = b"multipart/byteranges; boundary=" + boundary
        else:
            reply.headers.append((b"content-range", _content_range(*parts[0], size)))
    reply.pieces = reply.pieces or [_Piece(b"", start, end) for start, end in parts]
    length = sum(len(piece.prefix) + piece.end - piece.start for piece in reply.pieces)
    reply.headers += [(b"content-type", content_type), (b"content-length", b"%d" % length)]
    return reply


def _multipart(parts: list[tuple[int, int]], size: int, boundary: bytes) -> list[_Piece]:
    pieces = [
        _Piece(
            b"\r\n--%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n"
            % (boundary, _FILE_TYPE, _content_range(start, end, size)),
            start,
            end,
        )
        for start, end in parts
    ]
    pieces.append(_Piece(b"\r\n--%b--\r\n" % boundary, 0, 0))
    return pieces


def _content_range(start: int, end: int, size: int) -> bytes:
    return b"bytes %d-%d/%d" % (start, end - 1, size)


def _status_of(error: OSError) -> HTTPStatus:
    if error.errno in {errno.EACCES, errno.EPERM}:
        return HTTPStatus.FORBIDDEN
    if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _header_map(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; the values of repeated ones are joined, as lists are."""
    result: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("iso-8859-1").lower(), raw_value.decode("iso-8859-1")
        result[name] = f"{result[name]}, {value}" if name in result else value
    return result


async def _send_body(reply: _Reply, receive: Receive, send: Send) -> int:
    """Send the pieces; gives up silently when the client goes away or the file has shrunk.

    Returns:
        The number of bytes sent.
    """
    sent = 0
    gone: asyncio.Future[Message] | None = None
    try:
        for piece in reply.pieces:
            body, position = piece.prefix, piece.start
            while True:
                if position < piece.end:
                    chunk = await _read(reply.descriptor, position, piece.end)
                    if not chunk:
                        # The body stays short of its announced length: the connection is closed.
                        return sent
                    body += chunk
                    position += len(chunk)
                is_last = position >= piece.end and piece is reply.pieces[-1]
                await send({"type": "http.response.body", "body": body, "more_body": not is_last})
                sent += len(body)
                body = b""
                if position >= piece.end:
                    break
                # Sending to a client who has left is silent and never waits; only receive() tells,
                # and only if it is given the chance to.
                gone = gone or asyncio.ensure_future(_disconnect(receive))
                await asyncio.sleep(0)
                if gone.done():
                    return sent
        if not reply.pieces:
            await send({"type": "http.response.body", "body": b""})
        return sent
    finally:
        if gone is not None:
            gone.cancel()


async def _disconnect(receive: Receive) -> Message:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return message


async def _read(descriptor: int, position: int, end: int) -> bytes:
    """Up to a chunk of the file; from memory at once, from a slow disk in a thread."""
    buffer = bytearray(min(end - position, _CHUNK_SIZE))
    try:
        count = os.preadv(descriptor, [buffer], position, os.RWF_NOWAIT)
    except OSError:  # not in memory, or a file system that cannot tell
        return await asyncio.to_thread(os.pread, descriptor, len(buffer), position)
    return bytes(buffer if count == len(buffer) else buffer[:count])
