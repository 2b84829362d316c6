"""The server as its clients see it, over real connections."""

from __future__ import annotations

import email
import email.policy
import http.client
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from ostree.server.background import BackgroundServer
from support import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.server.application import Access

CONTENT = bytes(range(256)) * 8
BIG = os.urandom(1 << 20) * 6


class Site(NamedTuple):
    """A running server with its directory and what it logged."""

    url: str
    root: Path
    log: list[Access]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("www")
    repo = root / "repo"
    (repo / "objects" / "ab").mkdir(parents=True)
    (repo / "refs" / "heads").mkdir(parents=True)
    (repo / "config").write_bytes(b"[core]\nmode=archive-z2\n")
    (repo / "summary").write_bytes(b"")
    (repo / "objects" / "ab" / "file").write_bytes(CONTENT)
    (repo / "objects" / "ab" / "big").write_bytes(BIG)
    os.utime(repo / "objects" / "ab" / "file", (0, 0))
    log: list[Access] = []
    with BackgroundServer(root, on_access=log.append) as server:
        yield Site(server.url, root, log)


class Answer(NamedTuple):
    """A response, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def connect(site: Site) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=5)


def ask(site: Site, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request; ``if_range="x"`` stands for the header ``if-range: x``."""
    connection = connect(site)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        with connection.getresponse() as response:
            return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def reports(site: Site, path: str, count: int) -> list[Access]:
    """What was logged about a path; the server logs a moment after it has answered."""
    deadline = time.monotonic() + 5
    while True:
        found = [access for access in site.log if access.path == path]
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


FILE = "/repo/objects/ab/file"


class TestFiles:
    def test_a_file_comes_whole_with_validators(self, site: Site) -> None:
        answer = ask(site, FILE)

        assert (answer.status, answer.body) == (200, CONTENT)
        assert answer.headers["Content-Length"] == str(len(CONTENT))
        assert answer.headers["Last-Modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"
        assert answer.headers["ETag"].startswith('"')
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Content-Encoding"] is None

    def test_a_large_file_comes_whole(self, site: Site) -> None:
        assert ask(site, "/repo/objects/ab/big").body == BIG

    def test_an_empty_file(self, site: Site) -> None:
        answer = ask(site, "/repo/summary")

        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["Content-Length"] == "0"

    def test_head_tells_all_but_the_body(self, site: Site) -> None:
        whole, head = ask(site, FILE), ask(site, FILE, "HEAD", range="bytes=0-1")

        assert (head.status, head.body) == (200, b"")
        for name in ("Content-Length", "ETag", "Last-Modified"):
            assert head.headers[name] == whole.headers[name]

    def test_the_query_is_not_part_of_the_path(self, site: Site) -> None:
        assert ask(site, FILE + "?version=%00").status == 200

    def test_the_tag_changes_with_the_file(self, site: Site) -> None:
        path = site.root / "repo" / "refs" / "heads" / "main"
        path.write_bytes(b"one")
        first = ask(site, "/repo/refs/heads/main").headers["ETag"]
        path.with_suffix(".new").write_bytes(b"two")
        path.with_suffix(".new").rename(path)

        answer = ask(site, "/repo/refs/heads/main", if_none_match=first)

        assert (answer.status, answer.body) == (200, b"two")


class TestRefusals:
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/repo",
            "/repo/",
            "/repo/objects/",
            "/repo/absent",
            "/repo/objects/ab/absent",
            "/repo/../repo/config",
            "/repo/%2e%2e/repo/config",
            "/repo/objects%2fab%2ffile",
            "/repo/config%00",
            "/..%2f..%2f..%2fetc/passwd",
        ],
    )
    def test_not_found(self, site: Site, path: str) -> None:
        assert ask(site, path).status == 404

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "WHAT"])
    def test_other_methods(self, site: Site, method: str) -> None:
        answer = ask(site, FILE, method)

        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD"

    def test_a_file_that_may_not_be_read(self, site: Site) -> None:
        path = site.root / "repo" / "objects" / "ab" / "locked"
        path.write_bytes(b"x")
        path.chmod(0)
        code = """
            import sys
            from urllib.error import HTTPError
            from urllib.request import urlopen
            from ostree.server.background import BackgroundServer

            with BackgroundServer(sys.argv[1]) as server:
                try:
                    urlopen(server.url + "repo/objects/ab/locked").close()
                except HTTPError as error:
                    print(error.code)
                    error.close()
        """

        done = processes.run_unprivileged(code, site.root)

        assert (done.stdout, done.stderr) == ("403\n", "")

    def test_nonsense_is_answered_too(self, site: Site) -> None:
        with socket.create_connection((urlsplit(site.url).hostname, urlsplit(site.url).port)) as s:
            s.settimeout(5)
            s.sendall(b"\x00\xff nonsense\r\n\r\n")
            answer = s.recv(1000)

        assert answer.startswith(b"HTTP/1.1 400")

    def test_a_connection_survives_refusals(self, site: Site) -> None:
        connection = connect(site)
        statuses = []
        for path in ("/absent", FILE, "/", FILE):
            connection.request("GET", path)
            with connection.getresponse() as response:
                response.read()
                statuses.append(response.status)
                assert response.will_close is False
        connection.close()

        assert statuses == [404, 200, 404, 200]


class TestRanges:
    @pytest.mark.parametrize(
        ("header", "start", "end"),
        [
            ("bytes=0-9", 0, 10),
            ("bytes=2000-", 2000, 2048),
            ("bytes=-5", 2043, 2048),
            ("bytes=2040-9999", 2040, 2048),
        ],
    )
    def test_one_part(self, site: Site, header: str, start: int, end: int) -> None:
        answer = ask(site, FILE, range=header)

        assert (answer.status, answer.body) == (206, CONTENT[start:end])
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/2048"
        assert answer.headers["ETag"] == ask(site, FILE).headers["ETag"]

    def test_several_parts(self, site: Site) -> None:
        answer = ask(site, FILE, range="bytes=0-1, 100-199, -3")

        assert answer.status == 206
        head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + answer.body, policy=email.policy.HTTP)
        parts = [(part["Content-Range"], part.get_payload(decode=True)) for part in message.walk()]
        assert parts[1:] == [
            ("bytes 0-1/2048", CONTENT[:2]),
            ("bytes 100-199/2048", CONTENT[100:200]),
            ("bytes 2045-2047/2048", CONTENT[-3:]),
        ]

    def test_several_large_parts(self, site: Site) -> None:
        answer = ask(site, "/repo/objects/ab/big", range="bytes=0-1999999,3000000-")

        assert BIG[:2_000_000] in answer.body
        assert BIG[3_000_000:] in answer.body

    def test_no_part(self, site: Site) -> None:
        answer = ask(site, FILE, range="bytes=2048-")

        assert (answer.status, answer.body) == (416, b"")
        assert answer.headers["Content-Range"] == "bytes */2048"

    def test_a_malformed_range_is_ignored(self, site: Site) -> None:
        assert ask(site, FILE, range="bytes=9-1").status == 200

    def test_only_of_the_file_the_client_knows(self, site: Site) -> None:
        etag = ask(site, FILE).headers["ETag"]

        same = ask(site, FILE, range="bytes=0-9", if_range=etag)
        other = ask(site, FILE, range="bytes=0-9", if_range='"other"')

        assert (same.status, len(same.body)) == (206, 10)
        assert (other.status, len(other.body)) == (200, len(CONTENT))


class TestConditions:
    def test_a_current_copy_is_not_sent_again(self, site: Site) -> None:
        whole = ask(site, FILE)

        by_tag = ask(site, FILE, if_none_match=whole.headers["ETag"])
        by_date = ask(site, FILE, if_modified_since=whole.headers["Last-Modified"])

        for answer in (by_tag, by_date):
            assert (answer.status, answer.body) == (304, b"")
            assert answer.headers["ETag"] == whole.headers["ETag"]

    def test_the_condition_comes_before_the_range(self, site: Site) -> None:
        etag = ask(site, FILE).headers["ETag"]

        assert ask(site, FILE, if_none_match=etag, range="bytes=5000-").status == 304


class TestClients:
    def test_many_at_once(self, site: Site) -> None:
        bodies: list[bytes] = []

        def client() -> None:
            connection = connect(site)
            for _ in range(5):
                connection.request("GET", FILE)
                with connection.getresponse() as response:
                    bodies.append(response.read())
            connection.close()

        threads = [threading.Thread(target=client) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert bodies == [CONTENT] * 50

    def test_one_who_does_not_read_holds_up_nobody(self, site: Site) -> None:
        slow = connect(site)
        slow.request("GET", "/repo/objects/ab/big")
        begin = time.monotonic()

        answers = [ask(site, FILE).status for _ in range(5)]

        assert answers == [200] * 5
        assert time.monotonic() - begin < 3
        slow.close()

    def test_one_who_leaves_is_noticed(self, site: Site) -> None:
        huge = site.root / "repo" / "objects" / "ab" / "huge"
        with huge.open("wb") as file:
            file.truncate(1 << 36)
        leaver = connect(site)
        leaver.request("GET", "/repo/objects/ab/huge")
        leaver.getresponse().close()
        leaver.close()

        (access,) = reports(site, "/repo/objects/ab/huge", 1)
        assert access.size < 1 << 30

    def test_a_file_that_shrinks_breaks_the_transfer(self, site: Site) -> None:
        path = site.root / "repo" / "objects" / "ab" / "shrinking"
        path.write_bytes(BIG)
        connection = connect(site)
        connection.request("GET", "/repo/objects/ab/shrinking")
        response = connection.getresponse()
        response.read(1)
        path.write_bytes(b"")

        with pytest.raises(http.client.IncompleteRead):
            response.read()

        response.close()
        connection.close()

    def test_requests_are_reported(self, site: Site) -> None:
        ask(site, "/repo/config?x", range="bytes=0-9")
        ask(site, "/absent%20file", "HEAD")

        assert reports(site, "/repo/config", 1) == [
            ("127.0.0.1", "GET", "/repo/config", 206, 10),
        ]
        assert reports(site, "/absent%20file", 1) == [
            ("127.0.0.1", "HEAD", "/absent%20file", 404, 0),
        ]
