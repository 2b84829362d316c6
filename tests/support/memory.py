"""A place for sysroots that the reference command changes."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def in_memory(otherwise: Path) -> Iterator[Path]:
    """A directory on no disk, where there is: the reference would freeze the file system.

    Args:
        otherwise: The directory to use if there is none.
    """
    if not os.access("/dev/shm", os.W_OK):
        yield otherwise
        return
    directory = Path(tempfile.mkdtemp(prefix="ostree-twins.", dir="/dev/shm"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
