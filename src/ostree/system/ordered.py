"""Jobs on worker threads whose results are wanted in the order of the jobs."""

from __future__ import annotations

from collections import deque

from ostree.system.workers import WorkerPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Generic, TypeVar

    Result = TypeVar("Result")

    class _Slot(Generic[Result]):
        cost: int
        done: bool
        result: Result

else:

    class _Slot:
        """A job under way, or its result that is waited for.

        Attributes:
            cost: What it takes of the budget.
            done: Whether the result is there.
            result: The result.
        """

        __slots__ = ("cost", "done", "result")


def run_in_order(
    jobs: Iterable[tuple[int, Callable[[], Result]]],
    *,
    budget: int,
    workers: int | None = None,
    window: int = 64,
) -> Iterator[Result]:
    """The result of each job, in the order of the jobs.

    Args:
        jobs: Each with what it and its result cost, in the unit of the budget.
        budget: What the jobs and the results that wait may cost together; a job that costs more
            runs when there is no other.
        workers: How many threads there are.
        window: Most jobs that run or whose results wait.

    Raises:
        BaseException: the first error of a job; those not begun are dropped then.
    """
    waiting: deque[_Slot[Result]] = deque()
    used = 0
    upcoming = iter(jobs)
    next_job = next(upcoming, None)
    pool = WorkerPool(workers, backlog=window + 1)
    failed = True
    try:
        while next_job is not None or waiting:
            while (
                next_job is not None
                and len(waiting) < window
                and (not waiting or used + next_job[0] <= budget)
            ):
                slot: _Slot[Result] = _Slot()
                slot.cost, slot.done = next_job[0], False
                used += slot.cost
                waiting.append(slot)
                pool.submit(_into(slot, next_job[1]))
                next_job = next(upcoming, None)
            while not waiting[0].done:
                pool.collect(wait=True)
            slot = waiting.popleft()
            used -= slot.cost
            yield slot.result
        failed = False
    finally:
        pool.close(discard=failed)


def _into(
    slot: _Slot[Result], job: Callable[[], Result]
) -> Callable[[], Callable[[], None] | None]:
    def run() -> None:
        slot.result = job()
        slot.done = True

    return run
