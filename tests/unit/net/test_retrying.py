"""The retrying fetcher, over a fetcher that fails as it is told."""

from __future__ import annotations

import pytest

from ostree.errors import ChecksumError, FetchError, OSTreeError, StatusError
from ostree.net.fetcher import Fetcher, MemorySink, Request, Response, Sink
from ostree.net.retry import RetryPolicy
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
        self.timeouts: list[float | None] = []
        self.woken = self.closed = False

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        assert request.url == URL
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


def test_the_rest_is_passed_on() -> None:
    script = Script()
    with RetryingFetcher(script) as fetcher:
        fetcher.wake()

    assert script.woken
    assert script.closed
    assert all(0 <= random_fraction() <= 1 for _ in range(100))
