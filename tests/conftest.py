"""Fixtures that tests of every kind share."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from ostree.sysroot.settings import SysrootSettings
from support.memory import in_memory

if TYPE_CHECKING:
    from pathlib import Path

Oracle = Callable[..., subprocess.CompletedProcess[str]]

# How long an example takes says something about the machine only, which may have other work.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def _machine_stays_warm() -> None:
    """Sysroots are not synced unless a test asks for it.

    It would sync, and freeze for a moment, file systems of the machine that runs the tests.
    """
    os.environ["OSTREE_SYSROOT_OPTS"] = "skip-sync"
    defaults = SysrootSettings.__init__.__kwdefaults__
    assert defaults is not None
    defaults["sync"] = False


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """The reference command: ``oracle("init", "--repo=…")``; a failure raises unless check=False."""
    program = "/usr/bin/ostree"
    if not shutil.which(program):
        pytest.skip("the reference command is not installed (Debian: ostree)")

    def run(
        *arguments: str | os.PathLike[str],
        check: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *(os.fspath(argument) for argument in arguments)],
            check=check,
            capture_output=True,
            text=True,
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C.UTF-8",
                "TZ": "UTC",
                **(environ or {}),
            },
        )

    return run


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A directory on no disk, where there is: the reference would freeze the file system."""
    with in_memory(tmp_path) as directory:
        yield directory
