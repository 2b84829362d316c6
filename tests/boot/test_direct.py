"""A kernel of Debian's starts a deployment in QEMU, without any boot loader."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from boot.direct import check, deploy
from boot.machine import AMD64, DirectBoot, Machine
from boot.packages import fetched
from boot.small_system import Release, SmallSystem, owned_by_root

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def system(work: Path, ostree: str) -> SmallSystem:
    owned_by_root()
    return SmallSystem(AMD64, work, ostree)


def test_our_ramdisk(work: Path, logs: Path, ostree: str, system: SmallSystem) -> None:
    """The disk is found by the table's number of its partition, its driver by the hardware."""
    arguments = deploy(work, ostree, system, Release("A"), "partuuid")
    ramdisk = system.ramdisk(Release("A"))
    direct = DirectBoot(system.kernel, arguments, ramdisk)
    with Machine(AMD64, work / "A.img", logs / "console.log", direct=direct) as machine:
        check(machine, "A")


@pytest.mark.full
def test_a_ramdisk_without_modules(
    work: Path, logs: Path, ostree: str, system: SmallSystem
) -> None:
    """Of a kernel that has its disk and file system built in there may be nothing but that list."""
    packages = fetched(AMD64)
    (modules,) = (packages / "kernel/lib/modules").iterdir()
    root = work / "no-modules"
    shutil.copytree(
        modules,
        root / "usr/lib/modules" / modules.name,
        ignore=lambda _, names: [name for name in names if not name.startswith("modules.builtin")],
    )
    ramdisk = work / "no-modules.img"
    build = [ostree, "ramdisk", "build", f"--root={root}", f"--output={ramdisk}"]
    busybox = packages / "root/bin/busybox"
    subprocess.run([*build, f"--busybox={busybox}"], check=True, capture_output=True)
    arguments = deploy(work, ostree, system, Release("C"), "partuuid")
    direct = DirectBoot(system.kernel, arguments, ramdisk)
    disk = work / "C.img"
    with Machine(
        AMD64, disk, logs / "console.log", direct=direct, disk_device="nvme,serial=1"
    ) as machine:
        check(machine, "C")


def test_no_ramdisk(work: Path, logs: Path, ostree: str, system: SmallSystem) -> None:
    """The kernel mounts the disk itself and starts what ``deploy`` has written as ``init=``."""
    release = Release("B", has_ramdisk=False)
    arguments = deploy(work, ostree, system, release, "partuuid", "rootwait")
    assert "/usr/lib/ostree/ostree-prepare-root" in arguments
    direct = DirectBoot(system.kernel, arguments)
    disk = work / "B.img"
    with Machine(
        AMD64, disk, logs / "console.log", direct=direct, disk_device="nvme,serial=1"
    ) as machine:
        check(machine, "B")
        machine.console.send("reboot\n")
        machine.after_reset()
        # Nothing that the first start left is in the way of the second.
        check(machine, "B")
