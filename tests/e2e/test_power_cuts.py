"""The power goes at any moment of a deployment: the boot loader finds something that boots.

All writes to a disk with a ``/boot`` of its own are recorded while a deployment is made, or removed.
Then the disk is looked at as it was after each of them, and as caches that lose some would have left it:

* as U-Boot does, which replays no journal, its ``uEnv.txt`` names kernels that are whole, and
  deployments;
* as Linux does, which does, these deployments are whole.

The suite looks at some forty states; ``OSTREE_POWER_CUTS=all`` at all of them.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from support import processes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.root

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = {
    "qemu-storage-daemon": "qemu-system-common",
    "mkfs.ext4": "e2fsprogs",
    "unshare": "util-linux",
}
CODE = """
    import sys
    sys.path.insert(0, sys.argv[1])
    from pathlib import Path
    from support.power_cuts import Recording
    recording = Recording(Path(sys.argv[2]), sys.argv[3])
    recording.record()
    recording.check(every_state=sys.argv[4] == "all")
"""


@pytest.mark.parametrize("what", ["full swap", "sub-swap", "undeploy"])
def test_any_moment(tmp_path: Path, what: str) -> None:
    for tool, package in TOOLS.items():
        if not shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin"):
            pytest.skip(f"{tool} (Debian: {package}) is not installed")
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip("recording needs root and FUSE")

    done = processes.run(
        CODE,
        TESTS,
        tmp_path,
        what,
        os.environ.get("OSTREE_POWER_CUTS", "some"),
        prefix=("unshare", "--mount", "--propagation", "private"),
        environment={"OSTREE_SYSROOT_DEBUG": "mutable-deployments", "OSTREE_SYSROOT_OPTS": ""},
        timeout=3600,
    )

    assert done.stderr == ""
    states, bad = done.stdout.splitlines()[-1].split()
    print(done.stdout)
    assert int(states) >= 20
    assert bad == "0", done.stdout
