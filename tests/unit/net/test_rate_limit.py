"""Keeping below a rate, with a clock that the test turns."""

from __future__ import annotations

import threading

from ostree.net.fetcher import Fetcher, MemorySink, Request, Response
from ostree.net.rate_limit import Allowance, LimitedFetcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import Done, Sink


class Tap(Fetcher):
    """Gives each request 1000 bytes a step, ten times."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: list[tuple[Sink, Done]] = []
        self.steps = 0
        self.woken = False

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        del request
        self.queue.append((sink, done))

    def step(self, timeout: float | None = None) -> int:
        del timeout
        self.steps += 1
        for sink, done in self.queue:
            sink.write(b"x" * 1000)
            if self.steps == 10:
                done(Response(200, 10_000))
        if self.steps == 10:
            self.queue.clear()
        return len(self.queue)

    def outstanding(self) -> int:
        return len(self.queue)

    def wake(self) -> None:
        self.woken = True

    def cancel(self) -> None:
        self.queue.clear()

    def close(self) -> None:
        pass


def test_an_allowance_grows_with_time_up_to_a_burst() -> None:
    allowance = Allowance(1000, 0.0)

    allowance.spend(1250)

    assert allowance.wait(0.0) == 1.0
    assert allowance.wait(0.5) == 0.5
    assert allowance.wait(2.0) == 0.0
    allowance.spend(250)
    assert allowance.wait(2.0) == 0.0
    allowance.spend(1)
    assert allowance.wait(2.0) > 0


def test_nothing_is_read_until_it_may_come() -> None:
    now = 0.0
    tap = Tap()
    fetcher = LimitedFetcher(tap, 2000, clock=lambda: now)
    sink = MemorySink()
    fetcher.submit(Request("http://x"), sink, lambda _outcome: None)
    fetcher.step(0)

    left = fetcher.step(0)

    assert (left, tap.steps) == (1, 1)
    now = 0.25
    fetcher.step(0)
    assert tap.steps == 2
    assert len(sink.value()) == 2000


def test_whoever_waits_can_be_woken() -> None:
    tap = Tap()
    fetcher = LimitedFetcher(tap, 1, clock=lambda: 0.0)
    fetcher.submit(Request("http://x"), MemorySink(), lambda _outcome: None)
    fetcher.step(0)
    threading.Timer(0.05, fetcher.wake).start()

    left = fetcher.step()

    assert (left, tap.steps, tap.woken) == (1, 1, True)


def test_without_transfers_nothing_waits() -> None:
    tap = Tap()
    fetcher = LimitedFetcher(tap, 1, clock=lambda: 0.0)
    fetcher.submit(Request("http://x"), MemorySink(), lambda _outcome: None)
    fetcher.step(0)
    fetcher.cancel()

    fetcher.step(0)

    assert tap.steps == 2
