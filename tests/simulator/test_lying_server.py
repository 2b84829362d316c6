"""The lying server itself: tests of others rely on what it claims to do."""

from __future__ import annotations

import http.client
import socket
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from simulator.lying_server import Content, LyingServer, Reset, Silence, Status, Truncated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LyingServer]:
    (tmp_path / "file").write_bytes(b"the truth")
    with LyingServer(tmp_path) as running:
        yield running


def get(server: LyingServer, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """One request on its own connection."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=0.3)
    try:
        connection.request("GET", path, headers=headers or {})
        with connection.getresponse() as response:
            return response.status, response.read()
    finally:
        connection.close()


def test_tells_the_truth_unless_told_otherwise(server: LyingServer) -> None:
    assert get(server, "/file") == (200, b"the truth")
    assert get(server, "/other") == (404, b"not here")
    assert get(server, "/../file")[0] == 404


def test_a_lie_can_be_used_up_and_the_last_one_counts(server: LyingServer) -> None:
    server.lie("/f*", Content(b"a lie"))
    server.lie("/file", Status(500), times=1)

    answers = [get(server, "/file?x=1"), get(server, "/file")]

    assert answers == [(500, b""), (200, b"a lie")]
    server.be_honest()
    assert get(server, "/file") == (200, b"the truth")


def test_requests_are_logged_with_their_headers(server: LyingServer) -> None:
    get(server, "/file", {"X-One": "1"})

    (request,) = server.requests
    assert (request.method, request.path, request.headers["x-one"]) == ("GET", "/file", "1")
    assert server.connections == 1


def test_an_entity_tag_is_honoured(server: LyingServer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=1)
    connection.request("HEAD", "/file")
    etag = connection.getresponse().headers["ETag"]
    connection.close()

    assert get(server, "/file", {"If-None-Match": etag}) == (304, b"")


def test_broken_answers_break(server: LyingServer) -> None:
    server.lie("/file", Truncated(3))
    with pytest.raises(http.client.IncompleteRead):
        get(server, "/file")

    server.lie("/file", Reset())
    with pytest.raises(ConnectionResetError):
        get(server, "/file")

    server.lie("/file", Silence())
    with pytest.raises(socket.timeout):
        get(server, "/file")


def test_the_rest_of_a_file_is_served(server: LyingServer) -> None:
    old = formatdate(0, usegmt=True)

    assert get(server, "/file", {"Range": "bytes=4-"}) == (206, b"truth")
    assert get(server, "/file", {"Range": "bytes=4-", "If-Range": old}) == (200, b"the truth")
