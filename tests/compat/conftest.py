"""Fixtures of the comparisons with the reference."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def memory(tmp_path: Path, oracle: object) -> Iterator[Path]:
    """A directory on no disk, where there is: the reference would freeze the file system."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    directory = Path(tempfile.mkdtemp(prefix="ostree-twins.", dir="/dev/shm"))
    yield directory
    shutil.rmtree(directory)
