"""What every fetcher promises, against servers that tell the truth and servers that lie."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from ostree.errors import (
    ChecksumError,
    FetchError,
    FetchTimeoutError,
    OSTreeError,
    StatusError,
    TooLargeError,
)
from ostree.net.curl import CurlFetcher
from ostree.net.fetcher import Fetcher, FetcherOptions, MemorySink, Request, Response, Sink
from ostree.net.retry import RetryPolicy
from ostree.net.retrying import RetryingFetcher
from ostree.server.background import BackgroundServer
from simulator.lying_server import (
    Content,
    Endless,
    Garbage,
    LyingServer,
    Redirect,
    Reset,
    Silence,
    Status,
    Truncated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Make = Callable[[FetcherOptions], Fetcher]
    Outcome = Response | OSTreeError

BIG = bytes(range(256)) * 12_000


def plain(options: FetcherOptions) -> Fetcher:
    return CurlFetcher(options)


def retrying(options: FetcherOptions) -> Fetcher:
    return RetryingFetcher(CurlFetcher(options), RetryPolicy(retries=1, delays=[0.0]))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=[plain, retrying])
def make(request: pytest.FixtureRequest) -> Make:
    factory: Make = request.param
    return factory


@pytest.fixture
def fetcher(make: Make) -> Iterator[Fetcher]:
    with make(FetcherOptions(timeout=5)) as running:
        yield running


@pytest.fixture
def plainly() -> Iterator[Fetcher]:
    """A fetcher that tries once."""
    with plain(FetcherOptions(timeout=5)) as running:
        yield running


@pytest.fixture
def serial(make: Make) -> Iterator[Fetcher]:
    """A fetcher that does one thing at a time."""
    with make(FetcherOptions(timeout=5, max_outstanding=1)) as running:
        yield running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LyingServer]:
    (tmp_path / "small").write_bytes(b"small body")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "big").write_bytes(BIG)
    for number in range(10):
        (tmp_path / f"file{number}").write_bytes(b"%d" % number * 100)
    with LyingServer(tmp_path) as running:
        yield running


def get(fetcher: Fetcher, url: str, *, max_size: int | None = None) -> tuple[Outcome, bytes]:
    """The outcome of one request, and what the sink was given."""
    sink = MemorySink()
    outcomes: list[Outcome] = []
    fetcher.submit(Request(url, max_size=max_size), sink, outcomes.append)
    fetcher.run()
    (outcome,) = outcomes
    return outcome, sink.value()


def failure(fetcher: Fetcher, url: str, *, max_size: int | None = None) -> OSTreeError:
    """The error of a request that has to fail."""
    outcome, _body = get(fetcher, url, max_size=max_size)
    assert isinstance(outcome, OSTreeError)
    return outcome


def unexpected(outcome: Outcome) -> None:
    """The callback of a request that must not be answered."""
    pytest.fail(f"answered: {outcome}")


class Counting(Sink):
    """Counts what it is given."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def restart(self) -> None:
        self.size = 0


class Failing(Sink):
    """Raises an error at the first byte."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def write(self, chunk: bytes) -> None:
        assert chunk
        raise self.error

    def restart(self) -> None:
        pytest.fail("a sink's own error is not a reason to try again")


class TestBodies:
    def test_a_body_streams_into_the_sink_in_pieces(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        sink = MemorySink()
        outcomes: list[Outcome] = []
        fetcher.submit(Request(server.url + "/big"), sink, outcomes.append)

        fetcher.run()

        (response,) = outcomes
        assert isinstance(response, Response)
        assert (response.status, response.size) == (200, len(BIG))
        assert b"".join(sink.chunks) == BIG
        assert max(map(len, sink.chunks)) < len(BIG)

    def test_an_empty_body_is_a_success(self, fetcher: Fetcher, server: LyingServer) -> None:
        outcome, body = get(fetcher, server.url + "/empty", max_size=0)

        assert isinstance(outcome, Response)
        assert (outcome.size, body) == (0, b"")

    def test_many_requests_are_all_answered_once(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        sinks = [MemorySink() for _ in range(100)]
        done: list[int] = []
        for number, sink in enumerate(sinks):
            fetcher.submit(
                Request(f"{server.url}/file{number % 10}"),
                sink,
                lambda _outcome, number=number: done.append(number),  # type: ignore[misc]
            )

        fetcher.run()

        assert sorted(done) == list(range(100))
        assert [s.value() for s in sinks] == [b"%d" % (n % 10) * 100 for n in range(100)]
        assert server.connections <= 8

    def test_a_connection_serves_many_requests_also_after_errors(
        self, serial: Fetcher, server: LyingServer
    ) -> None:
        for number in range(10):
            assert serial.fetch_bytes(f"{server.url}/file{number}", limit=1000) is not None
            assert serial.fetch_bytes(f"{server.url}/absent{number}", limit=1000) is None

        assert server.connections == 1

    def test_a_real_repository_server_is_understood(self, fetcher: Fetcher, tmp_path: Path) -> None:
        (tmp_path / "repo" / "objects").mkdir(parents=True)
        (tmp_path / "repo" / "config").write_bytes(b"[core]\n")
        (tmp_path / "repo" / "objects" / "big").write_bytes(BIG)

        with BackgroundServer(tmp_path) as real:
            fetched = fetcher.fetch_bytes(f"{real.url}repo/config", limit=100)
            assert fetched is not None
            again = fetcher.fetch_bytes(
                f"{real.url}repo/config", limit=100, if_none_match=fetched.etag
            )
            by_date = fetcher.fetch_bytes(
                f"{real.url}repo/config", limit=100, if_modified_since=fetched.last_modified
            )
            sink = MemorySink()
            part = fetcher.fetch(
                Request(f"{real.url}repo/objects/big", headers=[("Range", "bytes=10-19")]), sink
            )

        assert fetched.data == b"[core]\n"
        assert fetched.last_modified == int((tmp_path / "repo" / "config").stat().st_mtime)
        assert again is not None
        assert by_date is not None
        assert again.not_modified
        assert by_date.not_modified
        assert (part.status, sink.value()) == (206, BIG[10:20])


class TestParts:
    def test_the_rest_of_a_body(self, fetcher: Fetcher, server: LyingServer) -> None:
        modified = fetcher.fetch(Request(f"{server.url}/small", validators=True), MemorySink())
        sink = MemorySink()

        response = fetcher.fetch(
            Request(f"{server.url}/small", max_size=10).rest(6, modified.last_modified), sink
        )

        assert (response.status, response.size, sink.value()) == (206, 10, b"body")

    def test_the_limit_holds_for_the_whole_body(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        with pytest.raises(TooLargeError):
            fetcher.fetch(Request(f"{server.url}/small", max_size=9).rest(6, None), MemorySink())

    def test_a_failure_says_how_much_has_come(self, serial: Fetcher, server: LyingServer) -> None:
        server.lie("/small", Truncated(4))

        error = failure(serial, server.url + "/small")

        assert isinstance(error, FetchError)
        assert error.received == 4
        assert failure(serial, server.url + "/absent").received == 0  # type: ignore[attr-defined]

    @pytest.mark.parametrize("if_range", [None, 0], ids=["no ranges here", "changed since"])
    def test_a_server_that_sends_everything_instead(
        self, plainly: Fetcher, server: LyingServer, if_range: int | None
    ) -> None:
        if if_range is None:
            server.lie("/small", Content(b"small body"))
        sink = MemorySink()
        outcomes: list[Outcome] = []
        plainly.submit(Request(f"{server.url}/small").rest(6, if_range), sink, outcomes.append)

        plainly.run()

        assert isinstance(outcomes[0], StatusError)
        assert outcomes[0].status == 416
        assert sink.value() == b""


class TestLimits:
    def test_a_body_of_exactly_the_limit_passes(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        outcome, body = get(fetcher, server.url + "/small", max_size=10)

        assert isinstance(outcome, Response)
        assert body == b"small body"

    def test_a_larger_body_is_refused(self, fetcher: Fetcher, server: LyingServer) -> None:
        error = failure(fetcher, server.url + "/small", max_size=9)

        assert isinstance(error, TooLargeError)
        assert str(error) == f"URI {server.url}/small exceeded maximum size of 9 bytes"
        assert server.paths() == ["/small"]

    @pytest.mark.parametrize("limit", [0, 100_000])
    def test_a_body_without_end_is_cut_off(
        self, fetcher: Fetcher, server: LyingServer, limit: int
    ) -> None:
        server.lie("/small", Endless())
        sink = Counting()
        outcomes: list[Outcome] = []
        fetcher.submit(Request(server.url + "/small", max_size=limit), sink, outcomes.append)

        fetcher.run()

        assert isinstance(outcomes[0], TooLargeError)
        assert sink.size <= limit

    def test_the_limit_of_one_request_does_not_bind_the_next(
        self, serial: Fetcher, server: LyingServer
    ) -> None:
        failure(serial, server.url + "/big", max_size=5)

        outcome, body = get(serial, server.url + "/big")

        assert isinstance(outcome, Response)
        assert body == BIG


class TestStatuses:
    @pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 410, 416, 500, 503, 302])
    def test_an_error_status_fails_and_its_page_is_not_delivered(
        self, fetcher: Fetcher, server: LyingServer, status: int
    ) -> None:
        server.lie("/small", Status(status, b"<html>sorry"))

        outcome, body = get(fetcher, server.url + "/small", max_size=3)

        assert isinstance(outcome, StatusError)
        assert outcome.status == status
        assert str(outcome) == f"While fetching {server.url}/small: Server returned HTTP {status}"
        assert body == b""

    def test_an_error_page_without_end_does_not_hang(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        server.lie("/small", Endless(status=404))

        error = failure(fetcher, server.url + "/small")

        assert isinstance(error, StatusError)
        assert error.status == 404

    def test_not_modified_that_nobody_asked_for_is_an_error(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        server.lie("/small", Status(304))

        assert isinstance(failure(fetcher, server.url + "/small"), StatusError)


class TestTransportErrors:
    def test_a_closed_port(self, fetcher: Fetcher) -> None:
        error = failure(fetcher, "http://user:secret@127.0.0.1:1/x")

        assert isinstance(error, FetchError)
        assert str(error) == (
            "While fetching http://user@127.0.0.1:1/x: [7] Couldn't connect to server"
        )

    def test_a_truncated_body(self, fetcher: Fetcher, server: LyingServer) -> None:
        server.lie("/small", Truncated(4))

        error = failure(fetcher, server.url + "/small")

        assert isinstance(error, FetchError)
        assert str(error) == (f"While fetching {server.url}/small: [18] Transferred a partial file")

    @pytest.mark.parametrize("lie", [Reset(), Reset(3), Garbage()])
    def test_a_broken_answer(
        self, fetcher: Fetcher, server: LyingServer, lie: Reset | Garbage
    ) -> None:
        server.lie("/small", lie)

        assert isinstance(failure(fetcher, server.url + "/small"), FetchError)

    def test_a_server_that_never_answers(self, make: Make, server: LyingServer) -> None:
        server.lie("/small", Silence())
        with make(FetcherOptions(timeout=0.2)) as hasty:
            error = failure(hasty, server.url + "/small")

        assert isinstance(error, FetchTimeoutError)
        assert str(error) == f"While fetching {server.url}/small: [28] Timeout was reached"

    def test_one_failure_leaves_the_others_alone(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        server.lie("/file3", Reset())
        outcomes: list[Outcome] = []
        for number in range(10):
            fetcher.submit(Request(f"{server.url}/file{number}"), MemorySink(), outcomes.append)

        fetcher.run()

        assert sum(isinstance(outcome, Response) for outcome in outcomes) == 9
        assert sum(isinstance(outcome, FetchError) for outcome in outcomes) == 1

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("repo/summary", "URI is not absolute, and no base URI was provided"),
            ("/repo", "URI is not absolute, and no base URI was provided"),
            ("", "URI is not absolute, and no base URI was provided"),
            ("ftp://user:secret@host/x", "Invalid URI scheme in ftp://user@host/x"),
            ("gopher://host", "Invalid URI scheme in gopher://host"),
        ],
    )
    def test_other_urls_are_refused_at_once(self, fetcher: Fetcher, url: str, message: str) -> None:
        with pytest.raises(FetchError) as caught:
            fetcher.submit(Request(url), MemorySink(), unexpected)

        assert str(caught.value) == message
        assert fetcher.outstanding() == 0

    @pytest.mark.parametrize("url", ["http://", "http://host:99999999/", "http://a b/", "http:x"])
    def test_urls_that_only_look_right_fail(self, fetcher: Fetcher, url: str) -> None:
        assert isinstance(failure(fetcher, url), FetchError)


class TestRedirects:
    def test_are_followed(self, fetcher: Fetcher, server: LyingServer) -> None:
        server.lie("/old", Redirect("/small"))

        _outcome, body = get(fetcher, server.url + "/old")

        assert body == b"small body"

    def test_lead_to_web_addresses_only(
        self, fetcher: Fetcher, server: LyingServer, tmp_path: Path
    ) -> None:
        server.lie("/old", Redirect(f"file://{tmp_path}/small"))

        outcome, body = get(fetcher, server.url + "/old")

        assert isinstance(outcome, FetchError)
        assert body == b""

    def test_do_not_go_on_for_ever(self, fetcher: Fetcher, server: LyingServer) -> None:
        server.lie("/old", Redirect("/old"))

        error = failure(fetcher, server.url + "/old")

        assert "[47] Number of redirects hit maximum amount" in str(error)


class TestFetchBytes:
    @pytest.mark.parametrize("status", [403, 404, 410])
    def test_what_is_not_there_is_none(
        self, fetcher: Fetcher, server: LyingServer, status: int
    ) -> None:
        server.lie("/small", Status(status))

        assert fetcher.fetch_bytes(server.url + "/small", limit=100) is None

    def test_other_failures_are_raised(self, fetcher: Fetcher, server: LyingServer) -> None:
        server.lie("/empty", Status(503))

        with pytest.raises(TooLargeError):
            fetcher.fetch_bytes(server.url + "/small", limit=5)
        with pytest.raises(StatusError):
            fetcher.fetch_bytes(server.url + "/empty", limit=5)

    def test_validators_come_back_and_save_the_second_transfer(
        self, serial: Fetcher, server: LyingServer
    ) -> None:
        first = serial.fetch_bytes(server.url + "/small", limit=100)
        assert first is not None
        second = serial.fetch_bytes(
            server.url + "/small",
            limit=100,
            if_none_match=first.etag,
            if_modified_since=first.last_modified,
        )
        third = serial.fetch_bytes(server.url + "/small", limit=100)

        assert first.data == b"small body"
        assert first.etag is not None
        assert first.etag.startswith('"')
        assert second is not None
        assert (second.not_modified, second.data) == (True, b"")
        assert second.etag == first.etag
        # The condition belongs to its request alone.
        assert third is not None
        assert (third.not_modified, third.data) == (False, b"small body")

    def test_malformed_dates_count_as_absent(self, fetcher: Fetcher, server: LyingServer) -> None:
        server.lie("/small", Status(200, b"x", (("Last-Modified", "yesterday"),)))

        fetched = fetcher.fetch_bytes(server.url + "/small", limit=100)

        assert fetched is not None
        assert (fetched.last_modified, fetched.etag) == (None, None)

    def test_validators_are_those_of_the_final_answer(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        server.lie("/old", Status(302, b"", (("Location", "/new"), ("ETag", '"old"'))))
        server.lie("/new", Content(b"x"))

        fetched = fetcher.fetch_bytes(server.url + "/old", limit=100)

        assert fetched is not None
        assert fetched.etag is None


class TestOrder:
    def test_waiting_requests_start_by_priority_then_in_order(
        self, serial: Fetcher, server: LyingServer
    ) -> None:
        for number, priority in enumerate([20, 20, 10, 0, 20, 0]):
            request = Request(f"{server.url}/file{number}", priority=priority)
            serial.submit(request, MemorySink(), lambda _outcome: None)

        serial.run()

        assert server.paths() == ["/file3", "/file5", "/file2", "/file0", "/file1", "/file4"]

    def test_callbacks_may_submit(self, fetcher: Fetcher, server: LyingServer) -> None:
        outcomes: list[Outcome] = []

        class Chain(Sink):
            def write(self, chunk: bytes) -> None:
                assert chunk
                fetcher.submit(Request(server.url + "/file1"), MemorySink(), chain)

        def chain(outcome: Outcome) -> None:
            outcomes.append(outcome)
            if len(outcomes) == 2:
                fetcher.submit(Request(server.url + "/file2"), MemorySink(), chain)

        fetcher.submit(Request(server.url + "/small"), Chain(), chain)
        fetcher.run()

        assert server.paths() == ["/small", "/file1", "/file2"]
        assert len(outcomes) == 3

    def test_callbacks_may_fetch(self, fetcher: Fetcher, server: LyingServer) -> None:
        bodies: list[bytes] = []

        def fetch_more(_outcome: Outcome) -> None:
            more = fetcher.fetch_bytes(server.url + "/file2", limit=1000)
            assert more is not None
            bodies.append(more.data)

        for number in range(10):
            fetcher.submit(Request(f"{server.url}/file{number}"), MemorySink(), fetch_more)
        fetcher.run()

        assert bodies == [b"2" * 100] * 10

    def test_nothing_starts_while_on_hold(self, fetcher: Fetcher, server: LyingServer) -> None:
        outcomes: list[Outcome] = []
        fetcher.hold = True
        fetcher.submit(Request(server.url + "/small"), MemorySink(), outcomes.append)

        left = fetcher.step(0.02)

        assert (left, server.paths()) == (1, [])
        fetcher.hold = False
        fetcher.run()
        assert len(outcomes) == 1


class TestWaiting:
    def test_all_of_several_silent_servers_are_given_up(self, server: LyingServer) -> None:
        """Curl's own timer tells of the first one only."""
        server.lie("/small", Silence())
        outcomes: list[Response | OSTreeError] = []
        options = FetcherOptions(low_speed_time=1, low_speed_limit=10)
        with CurlFetcher(options) as fetcher:
            for _ in range(3):
                fetcher.submit(Request(server.url + "/small"), MemorySink(), outcomes.append)

            fetcher.run()

        assert [type(outcome) for outcome in outcomes] == [FetchTimeoutError] * 3

    def test_a_step_ends_after_its_timeout(self, fetcher: Fetcher, server: LyingServer) -> None:
        server.lie("/small", Silence())
        fetcher.submit(Request(server.url + "/small"), MemorySink(), unexpected)

        left = fetcher.step(0.1)

        assert left == 1

    def test_another_thread_wakes_a_step(self, fetcher: Fetcher) -> None:
        timer = threading.Timer(0.05, fetcher.wake)
        timer.start()

        left = fetcher.step()

        timer.join()
        assert left == 0

    def test_a_wake_that_comes_early_is_not_lost(self, fetcher: Fetcher) -> None:
        fetcher.wake()
        fetcher.wake()

        fetcher.step()

        begin = time.monotonic()
        fetcher.step(0.05)
        assert time.monotonic() - begin >= 0.04

    def test_waking_a_closed_fetcher_does_nothing(self, fetcher: Fetcher) -> None:
        fetcher.close()

        fetcher.wake()
        fetcher.close()


class TestErrorsOfCallbacks:
    def test_an_exception_of_done_escapes_and_cancels(
        self, fetcher: Fetcher, server: LyingServer
    ) -> None:
        server.lie("/file*", Silence())

        def explode(_outcome: Outcome) -> None:
            raise RuntimeError("boom")

        fetcher.submit(Request(server.url + "/small"), MemorySink(), explode)
        for number in range(20):
            fetcher.submit(Request(f"{server.url}/file{number}"), MemorySink(), unexpected)
        with pytest.raises(RuntimeError, match="boom"):
            fetcher.run()

        assert fetcher.outstanding() == 0
        assert fetcher.fetch_bytes(server.url + "/small", limit=100) is not None

    def test_an_error_of_ours_in_a_sink_fails_its_request(
        self, fetcher: Fetcher, server: LyingServer, tmp_path: Path
    ) -> None:
        error = ChecksumError("corrupted")
        outcomes: list[Outcome] = []
        for url in (f"{server.url}/big", f"file://{tmp_path}/big"):
            fetcher.submit(Request(url), Failing(error), outcomes.append)
        other, body = get(fetcher, server.url + "/big")

        assert outcomes == [error, error]
        assert isinstance(other, Response)
        assert body == BIG

    @pytest.mark.parametrize("local", [False, True])
    def test_any_other_exception_in_a_sink_escapes_and_cancels(
        self, fetcher: Fetcher, server: LyingServer, tmp_path: Path, *, local: bool
    ) -> None:
        url = f"file://{tmp_path}/big" if local else f"{server.url}/big"
        for _ in range(3):
            fetcher.submit(Request(url), Failing(ValueError("a bug")), unexpected)

        with pytest.raises(ValueError, match="a bug"):
            fetcher.run()

        assert fetcher.outstanding() == 0
        assert fetcher.fetch_bytes(server.url + "/small", limit=100) is not None

    def test_cancelled_requests_are_forgotten(self, fetcher: Fetcher, server: LyingServer) -> None:
        server.lie("/small", Silence())
        for _ in range(30):
            fetcher.submit(Request(server.url + "/small"), MemorySink(), unexpected)
        fetcher.step(0.05)

        fetcher.cancel()

        assert fetcher.outstanding() == 0
        fetcher.run()
        server.be_honest()
        assert fetcher.fetch_bytes(server.url + "/small", limit=100) is not None


class TestFiles:
    def test_a_file_is_fetched_like_anything_else(self, fetcher: Fetcher, tmp_path: Path) -> None:
        (tmp_path / "a käse").write_bytes(BIG)

        outcome, body = get(fetcher, f"file://{tmp_path}/a%20käse")

        assert isinstance(outcome, Response)
        assert (outcome.status, body) == (200, BIG)

    def test_a_missing_file_counts_as_not_found(self, fetcher: Fetcher, tmp_path: Path) -> None:
        url = f"file://{tmp_path}/absent"

        error = failure(fetcher, url)

        assert isinstance(error, StatusError)
        assert error.status == 404
        assert str(error) == f"While fetching {url}: [37] Couldn't read a file:// file"
        assert fetcher.fetch_bytes(url, limit=10) is None

    def test_limits_hold(self, fetcher: Fetcher, tmp_path: Path) -> None:
        (tmp_path / "big").write_bytes(BIG)

        error = failure(fetcher, f"file://{tmp_path}/big", max_size=1000)

        assert isinstance(error, TooLargeError)

    def test_transfers_that_end_at_once_are_noticed_at_once(
        self, serial: Fetcher, tmp_path: Path
    ) -> None:
        """A transfer may begin and end within one call into curl, and leave nothing to wait for."""
        (tmp_path / "one").write_bytes(b"1")
        begin = time.monotonic()

        for _ in range(50):
            serial.submit(Request(f"file://{tmp_path}/one"), MemorySink(), lambda _outcome: None)
        serial.run()

        assert time.monotonic() - begin < 2
