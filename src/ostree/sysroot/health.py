"""Whether a system is well after its start: programs in directories decide, as with greenboot.

Below ``/usr/lib/ostree/health.d`` and ``/etc/ostree/health.d``: ``check/required.d`` must all succeed,
``check/wanted.d`` should; then those of ``green.d`` are run, or of ``red.d``.  A program in ``/etc``
replaces the one of its name in ``/usr/lib``.
"""

from __future__ import annotations

import os
from enum import Enum
from typing import NamedTuple

from ostree.errors import SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: The later one replaces programs of the earlier one.
DIRECTORIES = ("usr/lib/ostree/health.d", "etc/ostree/health.d")

#: Seconds that one program has; a check that hangs has failed.
TIME_LIMIT = 300


class Phase(Enum):
    """When programs are run; the values are directories."""

    REQUIRED = "check/required.d"
    WANTED = "check/wanted.d"
    GREEN = "green.d"
    RED = "red.d"


class Outcome(NamedTuple):
    """What came of one program.

    Attributes:
        path: Which.
        phase: What for.
        reason: Why it counts as failed; None if it succeeded.
    """

    path: str
    phase: Phase
    reason: str | None


if TYPE_CHECKING:
    Runner = Callable[[str], str | None]


def find_programs(root: str, phase: Phase) -> list[str]:
    """The programs of a phase, ordered by name, whatever directory they are in.

    Args:
        root: The root directory of the system.
        phase: Which.
    """
    found = {}
    for directory in DIRECTORIES:
        place = os.path.join(root, directory, phase.value)
        try:
            names = os.listdir(place)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            found[name] = os.path.join(place, name)
    # Who links to /dev/null, or takes the right to execute away, wants it not to be run.
    paths = [found[name] for name in sorted(found)]
    return [path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]


def check_health(root: str, run: Runner, on_outcome: Callable[[Outcome], None]) -> bool:
    """Run all checks, and what is to be run after them; whether the system is well.

    Args:
        root: The root directory of the system.
        run: Runs a program; None if it succeeded, else what is wrong.
        on_outcome: Is told of each.
    """
    healthy = True
    for phase in (Phase.REQUIRED, Phase.WANTED):
        for outcome in _run_all(root, phase, run):
            on_outcome(outcome)
            healthy = healthy and (phase is not Phase.REQUIRED or outcome.reason is None)
    return healthy


def run_followers(
    root: str, run: Runner, on_outcome: Callable[[Outcome], None], *, healthy: bool
) -> None:
    """Run what is to be run after the checks; what comes of it changes nothing."""
    for outcome in _run_all(root, Phase.GREEN if healthy else Phase.RED, run):
        on_outcome(outcome)


def _run_all(root: str, phase: Phase, run: Runner) -> Iterable[Outcome]:
    for path in find_programs(root, phase):
        yield Outcome(path, phase, run(path))


def run_check(path: str, environ: Mapping[str, str], time_limit: float = TIME_LIMIT) -> str | None:
    """Run one program to its end; None if it succeeded, else what is wrong.

    What it writes goes where we write.
    """
    import subprocess

    try:
        done = subprocess.run(
            [path],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=time_limit,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {time_limit:g} seconds"
    except OSError as error:
        return error.strerror or str(error)
    if done.returncode < 0:
        return f"killed by signal {-done.returncode}"
    return f"exited with code {done.returncode}" if done.returncode else None


def unhealthy(outcomes: Iterable[Outcome]) -> SysrootError:
    """The error that names what failed."""
    names = [
        os.path.basename(outcome.path)
        for outcome in outcomes
        if outcome.phase is Phase.REQUIRED and outcome.reason is not None
    ]
    return SysrootError(
        f"Health check failed: {', '.join(names)}",
        hint="after another start or two the boot loader falls back to the deployment before",
    )
