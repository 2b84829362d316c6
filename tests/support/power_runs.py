"""Power cuts in a process, a mount namespace and a directory of their own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

from support import processes
from support.memory import in_memory
from support.power_cuts import Outcome

_TOOLS = {
    "qemu-storage-daemon": "qemu-system-common",
    "mkfs.ext4": "e2fsprogs",
    "unshare": "util-linux",
}
_CODE = """
    import json
    import sys
    sys.path.insert(0, sys.argv[1])
    from pathlib import Path
    from support.power_cuts import PowerCuts
    row, losses, sample = json.loads(sys.argv[3])
    print(json.dumps(PowerCuts(Path(sys.argv[2]), **row).run(losses=losses, sample=sample)))
"""


class Row(NamedTuple):
    """What is recorded; see :class:`support.power_cuts.PowerCuts`."""

    operation: str
    layout: str
    same_kernel: bool
    careless: bool = False

    def __str__(self) -> str:
        kernel = "same kernel" if self.same_kernel else "new kernel"
        careless = ", careless" if self.careless else ""
        return f"{self.operation}, {self.layout}, {kernel}{careless}"


def require() -> None:
    """Skip where power cuts cannot be recorded."""
    for tool, package in _TOOLS.items():
        if not shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin"):
            pytest.skip(f"{tool} (Debian: {package}) is not installed")
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip("recording needs root and FUSE")


def cut(row: Row, directory: Path, *, losses: int, sample: int | None = None) -> Outcome:
    """Record an operation, and look at what power cuts could leave of it.

    Args:
        row: Which operation on which system.
        directory: For what is needed, unless there is room in memory.
        losses: How many states with losses for each flush.
        sample: Look at about that many states only.
    """
    # Thousands of file systems are made and forgotten: no disk need ever see them.
    with in_memory(Path(tempfile.mkdtemp(dir=directory))) as images:
        done = processes.run(
            _CODE,
            Path(__file__).parent.parent,
            images,
            json.dumps([row._asdict(), losses, sample]),
            prefix=("unshare", "--mount", "--propagation", "private"),
            timeout=3600,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return Outcome(*json.loads(done.stdout))
