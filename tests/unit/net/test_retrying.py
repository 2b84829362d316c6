"""The retrying fetcher, over a fetcher that fails as it is told."""

from __future__ import annotations

import pytest

from ostree.errors import ChecksumError, FetchError, OSTreeError, StatusError
from ostree.net.fetcher import Fetcher, MemorySink, Request, Response, Sink
from ostree.net.retry import PROGRESS, RetryPolicy
from ostree.net.retrying import RetryingFetcher, random_fraction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import Done

URL = "http://host/x"


class Script(Fetcher):
    """Answers requests with the outcomes of a list; each gives the sink half a body first."""

    def __init__(self, *outcomes: OSTreeError | Response) -> None:
        super().__init__()
        self.outcomes = list(outcomes)
        self.queue: list[tuple[Sink, Done]] = []
        self.requests: list[Request] = []
        self.timeouts: list[float | None] = []
        self.woken = self.closed = False

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        assert request.url == URL
        self.requests.append(request)
        self.queue.append((sink, done))

    def step(self, timeout: float | None = None) -> int:
        self.timeouts.append(timeout)
        if self.queue and not self.hold:
            sink, done = self.queue.pop(0)
            sink.write(b"half")
            done(self.outcomes.pop(0))
        return len(self.queue)

    def outstanding(self) -> int:
        return len(self.queue)

    def wake(self) -> None:
        self.woken = True

    def cancel(self) -> None:
        self.queue.clear()

    def close(self) -> None:
        self.closed = True


def busy() -> StatusError:
    return StatusError("busy", status=500)


def quick(retries: int = 5) -> RetryPolicy:
    return RetryPolicy(retries=retries, delays=[0.0])


def test_a_request_is_sent_again_and_its_sink_starts_afresh() -> None:
    script = Script(busy(), FetchError("broken"), Response(200, 4))
    sink = MemorySink()

    response = RetryingFetcher(script, quick()).fetch(Request(URL), sink)

    assert response.status == 200
    assert sink.value() == b"half"
    assert script.outcomes == []


def test_the_error_of_the_last_attempt_is_reported() -> None:
    last = StatusError("the last one", status=503)
    script = Script(busy(), busy(), last, Response(200, 0))

    with pytest.raises(StatusError, match="the last one") as caught:
        RetryingFetcher(script, quick(2)).fetch(Request(URL), MemorySink())

    assert caught.value is last
    assert len(script.outcomes) == 1


def test_what_is_not_there_is_asked_for_once() -> None:
    script = Script(StatusError("absent", status=404))

    assert RetryingFetcher(script, quick()).fetch_bytes(URL, limit=10) is None


def test_each_request_has_its_own_count() -> None:
    script = Script(busy(), busy(), Response(200, 4), Response(200, 4))
    fetcher = RetryingFetcher(script, quick(1))
    outcomes: list[Response | OSTreeError] = []
    for _ in range(2):
        fetcher.submit(Request(URL), MemorySink(), outcomes.append)

    fetcher.run()

    assert [type(outcome) for outcome in outcomes] == [Response, Response]


def test_a_pause_is_waited_for_and_counts_as_outstanding() -> None:
    script = Script(busy(), Response(200, 4))
    policy = RetryPolicy(delays=[0.02])
    fetcher = RetryingFetcher(script, policy, jitter=lambda: 0.5)
    outcomes: list[Response | OSTreeError] = []
    fetcher.submit(Request(URL), MemorySink(), outcomes.append)

    left = fetcher.step()

    assert (left, outcomes) == (1, [])
    fetcher.step()
    assert script.timeouts[0] is None
    assert script.timeouts[1] is not None
    assert 0 < script.timeouts[1] <= 0.02
    fetcher.run()
    assert len(outcomes) == 1


def test_a_caller_with_less_patience_is_not_made_to_wait() -> None:
    script = Script(busy())
    fetcher = RetryingFetcher(script, RetryPolicy(delays=[10.0]))
    fetcher.submit(Request(URL), MemorySink(), lambda _outcome: None)
    fetcher.step()

    fetcher.step(0.5)

    assert script.timeouts[-1] == 0.5
    fetcher.cancel()
    assert fetcher.outstanding() == 0


def test_nothing_is_sent_again_while_on_hold() -> None:
    script = Script(busy(), Response(200, 4))
    fetcher = RetryingFetcher(script, quick())
    fetcher.submit(Request(URL), MemorySink(), lambda _outcome: None)
    fetcher.step()

    fetcher.hold = True
    left = fetcher.step(0)

    assert (left, script.queue) == (1, [])
    fetcher.hold = False
    fetcher.run()


def test_a_sink_that_cannot_restart_fails_the_request() -> None:
    class Stubborn(MemorySink):
        def restart(self) -> None:
            raise ChecksumError("cannot go back")

    with pytest.raises(ChecksumError):
        RetryingFetcher(Script(busy()), quick()).fetch(Request(URL), Stubborn())


def test_an_exception_drops_what_is_paused() -> None:
    script = Script(busy(), Response(200, 4))
    fetcher = RetryingFetcher(script, RetryPolicy(delays=[10.0]))

    def explode(_outcome: Response | OSTreeError) -> None:
        raise RuntimeError("boom")

    for _ in range(2):
        fetcher.submit(Request(URL), MemorySink(), explode)
    with pytest.raises(RuntimeError):
        fetcher.run()

    assert fetcher.outstanding() == 0


def cut_off(received: int, last_modified: int | None = None) -> FetchError:
    error = FetchError("cut off")
    error.received = received
    error.last_modified = last_modified
    return error


def test_the_rest_of_a_body_is_asked_for() -> None:
    script = Script(cut_off(4, 1234), Response(206, 8))
    sink = MemorySink()

    RetryingFetcher(script, quick()).fetch(Request(URL, resumable=True), sink)

    assert sink.value() == b"halfhalf"
    assert [(request.offset, request.if_range) for request in script.requests] == [
        (0, None),
        (4, 1234),
    ]


def test_a_body_that_is_not_resumable_comes_again_from_its_start() -> None:
    script = Script(cut_off(4), Response(200, 4))
    sink = MemorySink()

    RetryingFetcher(script, quick()).fetch(Request(URL), sink)

    assert sink.value() == b"half"
    assert script.requests[1].offset == 0


def test_what_has_come_is_kept_while_the_server_is_busy() -> None:
    script = Script(cut_off(4), busy(), FetchError("refused"), Response(206, 16))
    sink = MemorySink()

    RetryingFetcher(script, quick()).fetch(Request(URL, resumable=True), sink)

    assert [request.offset for request in script.requests] == [0, 4, 4, 4]


def test_a_server_that_sends_no_parts_sends_all() -> None:
    script = Script(cut_off(4), StatusError("no ranges", status=416), Response(200, 4))
    sink = MemorySink()

    RetryingFetcher(script, quick()).fetch(Request(URL, resumable=True), sink)

    assert sink.value() == b"half"
    assert script.requests[2].offset == 0


def test_attempts_that_bring_much_do_not_count() -> None:
    """A large file over a bad line needs as many attempts as it needs."""
    attempts = [cut_off(number * PROGRESS) for number in range(1, 20)]
    script = Script(*attempts, Response(206, 20 * PROGRESS))

    RetryingFetcher(script, quick(1)).fetch(Request(URL, resumable=True), MemorySink())

    assert len(script.requests) == 20


def test_who_wants_no_retries_gets_none() -> None:
    script = Script(cut_off(10 * PROGRESS))

    with pytest.raises(FetchError):
        RetryingFetcher(script, quick(0)).fetch(Request(URL, resumable=True), MemorySink())


def test_pauses_grow_with_failures_of_the_server_whatever_was_asked_for() -> None:
    script = Script(busy(), busy(), busy(), Response(200, 4), busy(), Response(200, 4))
    fetcher = RetryingFetcher(script, RetryPolicy(delays=[0.0, 60.0]), jitter=lambda: 0.5)
    fetcher.submit(Request(URL), MemorySink(), lambda _outcome: None)
    fetcher.step()
    fetcher.step()

    fetcher.submit(Request(URL), MemorySink(), lambda _outcome: None)
    fetcher.step()

    assert len(script.requests) == 3
    assert fetcher.outstanding() == 2  # both wait, although the second has failed only once


def test_an_answer_ends_the_row_of_failures() -> None:
    script = Script(busy(), StatusError("absent", status=404), busy(), Response(200, 4))
    fetcher = RetryingFetcher(script, RetryPolicy(delays=[0.0, 60.0]))

    fetcher.fetch_bytes(URL, limit=10)
    fetcher.fetch(Request(URL), MemorySink())

    assert len(script.requests) == 4


def test_the_rest_is_passed_on() -> None:
    script = Script()
    with RetryingFetcher(script) as fetcher:
        fetcher.wake()

    assert script.woken
    assert script.closed
    assert all(0 <= random_fraction() <= 1 for _ in range(100))
