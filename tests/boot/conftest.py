"""Directories for booted systems, what their consoles said, and how long they took."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from boot.packages import REPOSITORY
from boot.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pluggy import Result

# Assertions in these tell what they found, as in tests.
pytest.register_assert_rewrite("boot.bad_releases", "boot.device", "boot.direct")

#: What a machine said, by test: to be kept when a test has failed.
LOGS = REPOSITORY / "build/boot-logs"
_TAIL = 100
_STEP = "step"


@pytest.fixture(scope="session")
def ostree() -> str:
    """Our command on this machine."""
    return str(Path(sys.executable).with_name("ostree"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory that is emptied afterwards, of immutable deployments as well."""
    work = tmp_path_factory.mktemp("boot")
    yield work
    subprocess.run(["chattr", "-R", "-f", "-i", work], check=False, capture_output=True)
    shutil.rmtree(work)


@pytest.fixture
def logs(request: pytest.FixtureRequest) -> Path:
    """A directory for the serial consoles of a test; it stays, and failures show what is in it."""
    directory = LOGS / re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


@pytest.fixture
def steps(request: pytest.FixtureRequest) -> Iterator[Steps]:
    """Its steps are told at the end of the run."""
    steps = Steps()
    yield steps
    for step in steps.taken:
        request.node.user_properties.append((_STEP, step))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, Result[pytest.TestReport], None]:
    """Show the end of each console's log with a failure."""
    outcome = yield
    report = outcome.get_result()
    directory = item.funcargs.get("logs")
    if not report.failed or not isinstance(directory, Path):
        return
    for log in sorted(directory.iterdir()):
        lines = log.read_text(errors="replace").splitlines()
        report.sections.append((f"The end of {log}", "\n".join(lines[-_TAIL:])))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how long the steps took, and where the logs are."""
    terminalreporter.section("steps, in seconds")
    for reports in terminalreporter.stats.values():
        for report in reports:
            steps = [step for name, step in getattr(report, "user_properties", ()) if name == _STEP]
            if steps and report.when == "teardown":
                total = sum(seconds for _, seconds in steps)
                told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in steps)
                terminalreporter.line(f"{report.nodeid}: {total:.0f} in all; {told}")
    if LOGS.exists():
        terminalreporter.line(f"The serial consoles' logs are in {LOGS}")
