"""What is peculiar to the curl engine: its options, TLS, proxies, cookies, HTTP/2."""

from __future__ import annotations

import gc
import gzip
import os
import select
import shutil
import socket
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FetchError, FetchTimeoutError, OSTreeError, StatusError, TooLargeError
from ostree.net.curl import CurlFetcher
from ostree.net.fetcher import FetcherOptions, MemorySink, Request, Response
from simulator.lying_server import Content, Lie, LyingServer, Status, Trickle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.lying_server import Handler

KEY_AND_CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9l0dqkiWzmwa9HQ5
biRXe+BMZ277/mPuDbP/bV2Ptk+hRANCAARO6OESaUZBYzHfi/wWZFCsYmyrMr7z
jplgliTzTIkIJmCTIJAAnVjPgpgVKIcCE/q1Gy5cY0h6BQVx+hsvD8EX
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUcJI0cmoXTKX6LSVn8YmLeb4K+qowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIzNDYzM1oYDzIxMjYxMDI5
MjM0NjMzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARO6OESaUZBYzHfi/wWZFCsYmyrMr7zjplgliTzTIkIJmCTIJAAnVjP
gpgVKIcCE/q1Gy5cY0h6BQVx+hsvD8EXo28wbTAdBgNVHQ4EFgQUYhuf5zYgCY69
UvT+BpSST4/E/YUwHwYDVR0jBBgwFoAUYhuf5zYgCY69UvT+BpSST4/E/YUwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIgXyW/dhoppetlatnKK1egdFB6s7OJyFZ0aB3XH4PERwkCIQCa
07x/pZnyRM9PjAysu2IFATx1qoLul1Jijb4wf65t9A==
-----END CERTIFICATE-----
"""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LyingServer]:
    (tmp_path / "file").write_bytes(b"body")
    with LyingServer(tmp_path) as running:
        yield running


@pytest.fixture
def pem(tmp_path: Path) -> str:
    """A key and the certificate of 127.0.0.1 that it signed itself."""
    path = tmp_path / "server.pem"
    path.write_text(KEY_AND_CERTIFICATE)
    return str(path)


@pytest.fixture
def tls_server(tmp_path: Path, pem: str) -> Iterator[LyingServer]:
    (tmp_path / "file").write_bytes(b"body")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with LyingServer(tmp_path, tls=context) as running:
        yield running


def fetch(url: str, options: FetcherOptions, limit: int = 1000) -> bytes:
    with CurlFetcher(options) as fetcher:
        fetched = fetcher.fetch_bytes(url, limit=limit)
    assert fetched is not None
    return fetched.data


@pytest.mark.parametrize("known", [True, False])
def test_when_to_ask_again_is_known_if_pycurl_tells(
    known: bool, server: LyingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of Debian 12 does not."""
    from ostree.net.curl_library import pycurl

    if not known:
        monkeypatch.delattr(pycurl, "RETRY_AFTER", raising=False)
    elif not hasattr(pycurl, "RETRY_AFTER"):
        pytest.skip("this pycurl does not tell either")
    server.lie("/file", Status(503, b"", (("Retry-After", "7"),)))

    with pytest.raises(StatusError) as caught:
        fetch(f"{server.url}/file", FetcherOptions())

    assert (caught.value.status, caught.value.retry_after) == (503, 7 if known else None)


def test_a_pycurl_that_cannot_take_back_a_function_will_do(
    server: LyingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of Debian 12 cannot: the next request on the connection is to work as well."""
    from ostree.net.curl_library import pycurl

    class Older(pycurl.Curl):  # type: ignore[misc]
        def unsetopt(self, option: int) -> None:
            if option == pycurl.HEADERFUNCTION:
                raise TypeError("unsetopt() is not supported for this option")
            super().unsetopt(option)

    monkeypatch.setattr(pycurl, "Curl", Older)
    with CurlFetcher(FetcherOptions()) as fetcher:
        for validators in (True, False):
            request = Request(f"{server.url}/file", max_size=1000, validators=validators)
            ((_, fetched),) = zip([request], fetcher.fetch_all([request]), strict=True)
            assert not isinstance(fetched, OSTreeError)


class TestHeaders:
    def test_a_plain_request_is_upstreams(self, server: LyingServer) -> None:
        fetch(server.url + "/file", FetcherOptions())

        assert server.requests[0].headers == {
            "host": server.url.removeprefix("http://"),
            "user-agent": "libostree/2026.4",
            "accept": "*/*",
        }

    def test_headers_of_the_remote_and_of_the_request_are_sent(self, server: LyingServer) -> None:
        options = FetcherOptions(
            headers=[("X-Token", "abc"), ("X-Empty", "")], user_agent_extra="x", max_outstanding=1
        )
        with CurlFetcher(options) as fetcher:
            fetcher.fetch_bytes(server.url + "/file", limit=10, headers=[("X-Once", "käse")])
            fetcher.fetch_bytes(server.url + "/file", limit=10)

        first, second = (request.headers for request in server.requests)
        assert first["user-agent"] == "libostree/2026.4 x"
        assert (first["x-token"], second["x-token"]) == ("abc", "abc")
        assert (first["x-empty"], second["x-empty"]) == ("", "")
        assert first["x-once"].encode("iso-8859-1").decode() == "käse"
        assert "x-once" not in second

    def test_a_header_of_one_request_is_not_sent_with_the_next(self, server: LyingServer) -> None:
        with CurlFetcher(FetcherOptions(max_outstanding=1)) as fetcher:
            fetcher.fetch_bytes(server.url + "/file", limit=10, if_none_match='"x"')
            fetcher.fetch_bytes(server.url + "/file", limit=10)

        assert [request.headers.get("if-none-match") for request in server.requests] == [
            '"x"',
            None,
        ]

    def test_headers_that_break_out_are_refused(self, server: LyingServer) -> None:
        with pytest.raises(FetchError):
            CurlFetcher(FetcherOptions(headers=[("X", "a\r\nY: b")]))
        with CurlFetcher() as fetcher, pytest.raises(FetchError):
            fetcher.fetch_bytes(server.url, limit=1, headers=[("X", "a\r\nY: b")])

    def test_credentials_are_sent_at_once(self, server: LyingServer) -> None:
        fetch(server.url.replace("://", "://foouser:barpw@") + "/file", FetcherOptions())

        assert server.requests[0].headers["authorization"] == "Basic Zm9vdXNlcjpiYXJwdw=="


class TestCompression:
    def test_coded_bodies_are_left_alone(self, server: LyingServer) -> None:
        packed = gzip.compress(b"body")
        server.lie("/file", Status(200, packed, (("Content-Encoding", "gzip"),)))

        assert fetch(server.url + "/file", FetcherOptions()) == packed

    def test_unless_compression_was_asked_for(self, server: LyingServer) -> None:
        server.lie("/file", Status(200, gzip.compress(b"body"), (("Content-Encoding", "gzip"),)))

        body = fetch(server.url + "/file", FetcherOptions(accept_compressed=True))

        assert body == b"body"
        assert "gzip" in server.requests[0].headers["accept-encoding"]

    def test_the_limit_counts_what_comes_out(self, server: LyingServer) -> None:
        bomb = gzip.compress(bytes(10_000_000))
        server.lie("/file", Status(200, bomb, (("Content-Encoding", "gzip"),)))

        with pytest.raises(TooLargeError):
            fetch(server.url + "/file", FetcherOptions(accept_compressed=True), limit=100_000)


class TestCookies:
    def test_those_of_the_jar_are_sent_and_the_jar_is_left_alone(
        self, server: LyingServer, tmp_path: Path
    ) -> None:
        jar = tmp_path / "jar"
        text = (
            "# a comment\n"
            "127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tone\t1\n"
            "127.0.0.1\tFALSE\t/elsewhere\tFALSE\t4102444800\ttwo\t2\n"
            "garbage\n"
        )
        jar.write_text(text)

        with CurlFetcher(FetcherOptions(cookie_jar=str(jar))) as fetcher:
            for _ in range(12):
                fetcher.submit(Request(server.url + "/file"), MemorySink(), lambda _outcome: None)
            fetcher.run()

        assert {request.headers.get("cookie") for request in server.requests} == {"one=1"}
        assert jar.read_text() == text

    def test_those_a_server_sets_last_for_the_session(self, server: LyingServer) -> None:
        server.lie("/file", Status(200, b"x", (("Set-Cookie", "one=1"),)), times=1)

        with CurlFetcher() as fetcher:
            for _ in range(3):
                fetcher.fetch_bytes(server.url + "/file", limit=10)

        cookies = [request.headers.get("cookie") for request in server.requests]
        assert cookies == [None, "one=1", "one=1"]

    @pytest.mark.parametrize("name", ["absent", "directory"])
    def test_a_jar_that_is_no_file_is_ignored(
        self, server: LyingServer, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "directory").mkdir()

        body = fetch(server.url + "/file", FetcherOptions(cookie_jar=str(tmp_path / name)))

        assert body == b"body"


class TestProxies:
    def test_the_configured_proxy_is_asked(self, server: LyingServer) -> None:
        server.lie("*", Content(b"from the proxy"))

        assert fetch("http://host.invalid/x", FetcherOptions(proxy=server.url)) == b"from the proxy"
        assert server.paths() == ["http://host.invalid/x"]

    def test_without_one_the_environment_counts(
        self, server: LyingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", server.url)
        server.lie("*", Content(b"from the proxy"))

        assert fetch("http://host.invalid/x", FetcherOptions(proxy="")) == b"from the proxy"


class TestPatience:
    def test_a_trickle_is_given_up(self, server: LyingServer, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(bytes(1000))
        server.lie("/file", Trickle(1, 0.02))
        options = FetcherOptions(low_speed_time=1)

        with pytest.raises(FetchTimeoutError, match="Timeout was reached"):
            fetch(server.url + "/file", options)

    def test_a_host_that_does_not_answer_is_given_up(self) -> None:
        # A full queue of connections: the kernel drops the next request for one.
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            address = listener.getsockname()
            waiting = [socket.socket() for _ in range(4)]
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(address)

            with pytest.raises(FetchTimeoutError):
                fetch(f"http://127.0.0.1:{address[1]}/x", FetcherOptions(connect_timeout=0.1))
            for client in waiting:
                client.close()


class TestTLS:
    def test_an_unknown_certificate_is_refused(self, tls_server: LyingServer) -> None:
        with pytest.raises(FetchError) as caught:
            fetch(tls_server.url + "/file", FetcherOptions())

        assert str(caught.value) == (
            f"While fetching {tls_server.url}/file: "
            "[60] SSL peer certificate or SSH remote key was not OK"
        )
        assert tls_server.requests == []

    def test_unless_permissive(self, tls_server: LyingServer) -> None:
        assert fetch(tls_server.url + "/file", FetcherOptions(tls_permissive=True)) == b"body"

    def test_a_configured_authority_is_trusted(self, tls_server: LyingServer, pem: str) -> None:
        assert fetch(tls_server.url + "/file", FetcherOptions(tls_ca_path=pem)) == b"body"

    def test_an_authority_that_cannot_be_read(
        self, tls_server: LyingServer, tmp_path: Path
    ) -> None:
        options = FetcherOptions(tls_ca_path=str(tmp_path / "absent.pem"))

        with pytest.raises(FetchError, match=r"\[77\] Problem with the SSL CA cert"):
            fetch(tls_server.url + "/file", options)

    def test_a_client_certificate_is_presented(self, tmp_path: Path, pem: str) -> None:
        (tmp_path / "file").write_bytes(b"body")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.load_verify_locations(pem)
        context.verify_mode = ssl.CERT_REQUIRED
        options = FetcherOptions(tls_ca_path=pem, tls_client_cert_path=pem, tls_client_key_path=pem)

        with LyingServer(tmp_path, tls=context) as strict:
            body = fetch(strict.url + "/file", options)

        assert body == b"body"

    def test_a_client_certificate_that_cannot_be_read(
        self, tls_server: LyingServer, pem: str, tmp_path: Path
    ) -> None:
        options = FetcherOptions(
            tls_ca_path=pem, tls_client_cert_path=str(tmp_path / "no"), tls_client_key_path=pem
        )

        with pytest.raises(FetchError, match=r"\[58\] Problem with the local SSL certificate"):
            fetch(tls_server.url + "/file", options)


NGINX = """
daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 64; }}
http {{
  log_format protocol "$server_protocol $connection";
  access_log {root}/access.log protocol;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  server {{
    listen 127.0.0.1:{port} ssl http2; root {root}/www;
    ssl_certificate {pem}; ssl_certificate_key {pem};
  }}
}}
"""


@pytest.fixture
def nginx(tmp_path: Path, pem: str) -> Iterator[tuple[str, Path]]:
    """A server that speaks HTTP/2: its URL, and the log of protocols and connections."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    www = tmp_path / "www"
    www.mkdir()
    for number in range(20):
        (www / str(number)).write_bytes(b"%d" % number * 5000)
    www.chmod(0o755)
    # A directory for the test, one for the process that runs it, if there are several, and so on.
    for parent in (tmp_path, *list(tmp_path.parents)[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(root=tmp_path, port=port, pem=pem))
    with subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.01)
            yield f"https://127.0.0.1:{port}", tmp_path / "access.log"
        finally:
            process.terminate()


@pytest.mark.parametrize(("http2", "protocol"), [(True, "HTTP/2.0"), (False, "HTTP/1.1")])
def test_http2_is_used_unless_switched_off(
    nginx: tuple[str, Path], pem: str, *, http2: bool, protocol: str
) -> None:
    url, log = nginx
    sinks = [MemorySink() for _ in range(200)]
    outcomes: list[Response | OSTreeError] = []
    with CurlFetcher(FetcherOptions(tls_ca_path=pem, http2=http2, timeout=10)) as fetcher:
        for number, sink in enumerate(sinks):
            fetcher.submit(Request(f"{url}/{number % 20}"), sink, outcomes.append)
        fetcher.run()

    assert [o for o in outcomes if isinstance(o, OSTreeError)] == []
    assert [sink.value() for sink in sinks] == [b"%d" % (n % 20) * 5000 for n in range(200)]
    lines = log.read_text().splitlines()
    assert {line.split()[0] for line in lines} == {protocol}
    if http2:
        assert len(set(lines)) == 1, "requests share one connection"


class Farewell(Lie):
    """Sends a body in two pieces, and closes the connection."""

    def tell(self, handler: Handler) -> None:
        handler.head(200, (("Content-Length", "4"), ("Connection", "close")))
        handler.wfile.write(b"bo")
        handler.server.stopping.wait(0.05)
        handler.wfile.write(b"dy")
        handler.close_connection = True


class TestSharing:
    def test_fewer_at_a_time(self, server: LyingServer) -> None:
        """What is under way goes on, and what waits is started when there are few enough."""
        server.lie("/file", Trickle(size=1, interval=0.01))
        outcomes: list[Response | OSTreeError] = []
        with CurlFetcher(FetcherOptions(max_outstanding=6)) as fetcher:
            for _ in range(9):
                fetcher.submit(Request(server.url + "/file"), MemorySink(), outcomes.append)
            while len(server.paths()) < 6:
                fetcher.step(0.01)

            assert not fetcher.share(2)
            while not fetcher.share(2):
                fetcher.step()
            assert len(server.paths()) <= 8
            fetcher.run()
            assert fetcher.share(4)
            assert fetcher.share(2)

        assert len(outcomes) == 9
        assert len(server.paths()) == 9

    def test_watched_descriptors(self, server: LyingServer) -> None:
        reader, writer = os.pipe()
        try:
            with CurlFetcher() as fetcher:
                read: list[bytes] = []
                fetcher.watch(reader, lambda: read.append(os.read(reader, 1)))
                os.write(writer, b"ab")
                fetcher.step()
                fetcher.step()
                assert read == [b"a", b"b"]
                assert fetcher.fetch_bytes(server.url + "/file", limit=9) is not None
                assert read == [b"a", b"b"]
        finally:
            os.close(reader)
            os.close(writer)

    def test_a_connection_that_somebody_else_has_yet(self, server: LyingServer) -> None:
        """Closed here and held by a forked process, it does not keep the fetcher busy."""
        server.lie("/file", Farewell())
        copies: list[int] = []

        class CopyingSink(MemorySink):
            def write(self, chunk: bytes) -> None:
                if not copies:
                    copies.extend(os.dup(descriptor) for descriptor in fetcher._watched)
                super().write(chunk)

        with CurlFetcher() as fetcher:
            sink = CopyingSink()
            fetcher.fetch(Request(server.url + "/file"), sink)
            hung_up = select.poll()
            for copy in copies:
                hung_up.register(copy, select.POLLRDHUP)
            assert hung_up.poll(10_000)
            fetcher.step(0)
            fetcher.step(0)

            assert sink.value() == b"body"
            assert fetcher._epoll.poll(0) == []
        for copy in copies:
            os.close(copy)

    def test_keys_in_devices_are_not_shared(self) -> None:
        with (
            CurlFetcher() as plain,
            CurlFetcher(FetcherOptions(tls_client_cert_path="pkcs11:id=1")) as token,
        ):
            assert plain.divisible
            assert not token.divisible

    def test_a_connection_that_a_child_would_hold(self, server: LyingServer) -> None:
        """A forked process lets go of its parent's connections, and has its cookies."""
        server.lie("/cookie", Status(200, b"", (("Set-Cookie", "a=b; Path=/"),)))
        with CurlFetcher() as fetcher:
            assert fetcher.fetch_bytes(server.url + "/cookie", limit=9) is not None
            sockets = open_sockets()
            # In this process it is the fetcher itself that loses them.
            with fetcher.in_child(2) as other:
                assert open_sockets() < sockets
                assert other.fetch_bytes(server.url + "/file", limit=9) is not None

        assert server.requests[-1].headers["cookie"] == "a=b"


def open_sockets() -> int:
    """How many sockets this process has that are connected to a server here."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(name))) as copy:
                found += copy.family == socket.AF_INET and copy.getpeername()[0] == "127.0.0.1"
        except OSError:  # no socket, or not connected
            continue
    return found


class TestLifetime:
    def test_a_forgotten_fetcher_warns(self) -> None:
        CurlFetcher()

        with pytest.warns(ResourceWarning, match="unclosed"):
            gc.collect()

    def test_more_descriptors_than_select_can_watch(self, server: LyingServer) -> None:
        resource = pytest.importorskip("resource")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2000:
            pytest.skip("the limit of open files is too low")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
        try:
            fillers = [socket.socket() for _ in range(1100)]
            body = fetch(server.url + "/file", FetcherOptions(timeout=5))
            for filler in fillers:
                filler.close()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

        assert body == b"body"

    def test_errors_keep_their_status(self, server: LyingServer) -> None:
        server.lie("/file", Status(418))

        with pytest.raises(StatusError) as caught:
            fetch(server.url + "/file", FetcherOptions())

        assert caught.value.status == 418
