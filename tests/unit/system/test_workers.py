"""The pool: results on the owner's thread, errors carried over, nothing left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ostree.system.processors import default_workers
from ostree.system.workers import WorkerPool

Job = Callable[[], Callable[[], None] | None]


def test_completions_run_on_the_owners_thread() -> None:
    seen: list[tuple[int, bool, bool]] = []

    def job(number: int) -> Callable[[], None]:
        elsewhere = threading.current_thread() is not threading.main_thread()
        return lambda: seen.append(
            (number, elsewhere, threading.current_thread() is threading.main_thread())
        )

    with WorkerPool(3) as pool:
        for number in range(50):
            pool.submit(lambda number=number: job(number))  # type: ignore[misc]
        pool.drain()

    assert sorted(seen) == [(number, True, True) for number in range(50)]


def test_completions_may_submit_more() -> None:
    done: list[int] = []
    with WorkerPool(2) as pool:

        def chain(left: int) -> Job:
            def complete() -> None:
                done.append(left)
                if left:
                    pool.submit(chain(left - 1))

            return lambda: complete

        pool.submit(chain(10))
        pool.drain()

    assert done == list(range(10, -1, -1))


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_of_a_job_reaches_the_owner(kind: type[BaseException]) -> None:
    def fail() -> None:
        raise kind("from the worker")

    def run() -> None:
        with WorkerPool(2) as pool:
            pool.submit(fail)
            pool.drain()

    with pytest.raises(kind, match="from the worker"):
        run()

    assert no_workers()


def test_after_an_error_waiting_jobs_are_not_started() -> None:
    begun = threading.Event()
    started: list[int] = []
    pool = WorkerPool(1)

    def slow() -> None:
        begun.set()
        while pool._jobs.qsize() > 1:  # until the others are thrown away
            time.sleep(0.001)

    def run() -> None:
        with pool:
            pool.submit(slow)
            for number in range(20):
                pool.submit(lambda number=number: started.append(number))  # type: ignore[misc]
            begun.wait()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()

    assert started == []
    assert no_workers()


def test_leaving_normally_finishes_what_was_queued() -> None:
    started: list[int] = []

    with WorkerPool(1) as pool:
        for number in range(20):
            pool.submit(lambda number=number: started.append(number))  # type: ignore[misc]

    assert started == list(range(20))
    assert no_workers()


def test_the_backlog_bounds_what_is_under_way() -> None:
    running = 0
    most = 0

    def finished() -> None:
        nonlocal running
        running -= 1

    with WorkerPool(2, backlog=4) as pool:
        for _ in range(40):
            pool.submit(lambda: finished)
            running += 1
            most = max(most, running)
            assert pool.pending <= 4
        pool.drain()
        assert not pool.full

    assert most <= 5
    assert running == 0


def test_no_threads_without_jobs() -> None:
    with WorkerPool(4) as pool:
        assert not pool.collect(wait=True)
        assert no_workers()
        pool.submit(lambda: None)
        pool.drain()

        assert sum(thread.name == "ostree-worker" for thread in threading.enumerate()) == 1


def test_the_owner_can_be_woken() -> None:
    woken = threading.Event()
    with WorkerPool(1) as pool:
        pool.notify(woken.set)
        pool.submit(lambda: None)

        assert woken.wait(30)
        pool.drain()


def test_the_number_of_threads_is_reasonable() -> None:
    assert 1 <= default_workers() <= 4


def no_workers() -> bool:
    return all(thread.name != "ostree-worker" for thread in threading.enumerate())
