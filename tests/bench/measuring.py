"""Running a command and taking its time."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MIB = 1 << 20
#: A process begins with the memory of the one that starts it, and the kernel counts that as its
#: peak: a small one is put between.
_LAUNCHER = """
import os, sys, time
start = time.perf_counter()
null = (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[null])
_, status, usage = os.wait4(process, 0)
wall = time.perf_counter() - start
print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


class Usage(NamedTuple):
    """What one run took: seconds of wall clock and processor, peak memory in MiB."""

    wall: float
    processor: float
    peak: float


class Measured(NamedTuple):
    """A row of the table; what needs the reference is None without one.

    Attributes:
        name: The row.
        ours: Seconds of wall clock, the median.
        processor: Seconds of processor, the median.
        peak: MiB of memory, the most.
        reference: The reference's seconds of wall clock.
        reference_processor: The reference's seconds of processor.
        reference_peak: The reference's memory.
        ratio: How many times as long the reference takes, the median of neighbouring runs.
        low: The least of those ratios.
        high: The greatest of them.
    """

    name: str
    ours: float
    processor: float
    peak: float
    reference: float | None = None
    reference_processor: float | None = None
    reference_peak: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


class FailureError(Exception):
    """A command failed, or did not do the same work as the other one."""


def execute(command: Sequence[str]) -> Usage:
    """Run a command to its end.

    Raises:
        FailureError: if it fails.
    """
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    if result.returncode:
        raise FailureError(f"{' '.join(command)}: {result.stderr.strip()}")
    wall, processor, peak = result.stdout.split()
    return Usage(float(wall), float(processor), float(peak))


def environment() -> dict[str, str]:
    """The caller's, without what would change the commands' defaults."""
    return {key: value for key, value in os.environ.items() if not key.startswith("OSTREE_")}


def ask(command: Sequence[str]) -> str:
    """The output of a command that is not measured."""
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment())
    if result.returncode:
        raise FailureError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout.strip()


def alone(name: str, row: Callable[[], Usage], rounds: int) -> Measured:
    """Measure a row without a reference, after one unmeasured turn."""
    row()
    runs = [row() for _ in range(2 * rounds)]
    return Measured(
        name,
        median(run.wall for run in runs),
        median(run.processor for run in runs),
        max(run.peak for run in runs),
    )


def in_turns(
    name: str, theirs: Callable[[], Usage], ours: Callable[[], Usage], rounds: int
) -> Measured:
    """Measure in the order A B B A, ``rounds`` times, after one unmeasured turn each."""
    theirs()
    ours()
    references: list[Usage] = []
    runs: list[Usage] = []
    for _ in range(rounds):
        references.append(theirs())
        runs.append(ours())
        runs.append(ours())
        references.append(theirs())
    ratios = [one.wall / other.wall for one, other in zip(references, runs, strict=True)]
    return Measured(
        name,
        median(run.wall for run in runs),
        median(run.processor for run in runs),
        max(run.peak for run in runs),
        median(run.wall for run in references),
        median(run.processor for run in references),
        max(run.peak for run in references),
        median(ratios),
        min(ratios),
        max(ratios),
    )
