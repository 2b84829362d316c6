"""Directories for booted systems."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    for path in work.iterdir():
        # What the machine said is what one looks for after a failure.
        if path.suffix == ".log":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
