"""A kernel of Debian's starts a deployment in QEMU, without any boot loader."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from boot.disk import Partition, make_disk
from boot.machine import AMD64, DirectBoot, Machine
from boot.small_system import UP, Release, SmallSystem, owned_by_root

if TYPE_CHECKING:
    from pathlib import Path

REF = "small/main"


@pytest.fixture(scope="module")
def system(work: Path, ostree: str) -> SmallSystem:
    owned_by_root()
    return SmallSystem(AMD64, work, ostree)


def deploy(work: Path, ostree: str, system: SmallSystem, release: Release, *words: str) -> str:
    """Make ``VERSION.img``, a disk with one deployment; gives the kernel's command line."""
    sysroot = work / f"sysroot-{release.version}"
    sysroot.mkdir()
    tree = system.tree(release)

    def run(*arguments: str) -> None:
        subprocess.run([ostree, *arguments], check=True, capture_output=True)

    run("admin", "init-fs", "--modern", str(sysroot))
    run("admin", "os-init", f"--sysroot={sysroot}", "small")
    run("commit", f"--repo={sysroot}/ostree/repo", f"--branch={REF}", str(tree))
    shutil.rmtree(tree)
    kargs = [f"--karg={word}" for word in (*words, f"console={AMD64.console}", "panic=1", "quiet")]
    run("admin", "deploy", f"--sysroot={sysroot}", "--os=small", *kargs, REF)
    make_disk(work / f"{release.version}.img", [Partition("the-root", 600, sysroot)])
    (entry,) = (sysroot / "boot/loader/entries").iterdir()
    (options,) = (line for line in entry.read_text().splitlines() if line.startswith("options "))
    return options.removeprefix("options ")


def check(machine: Machine, version: str) -> None:
    """The release is up, and its root is as it has to be."""
    console = machine.console
    assert console.expect(UP, 300)[1] == version
    console.expect(r"Enter 'help' for a list of built-in commands\.\n", 20)
    assert "ostree=/ostree/boot.1/small/" in console.run("cat /proc/cmdline")
    mounts = {
        fields[1]: fields[3].split(",")
        for fields in map(str.split, console.run("cat /proc/mounts").splitlines())
    }
    assert {"/", "/usr", "/var", "/sysroot", "/boot", "/proc", "/sys", "/dev", "/run"} <= set(
        mounts
    )
    assert "ro" in mounts["/usr"]
    assert "Read-only file system" in console.run("touch /usr/x 2>&1", status=1)
    console.run("touch /etc/x /var/x")
    assert console.run("find / -xdev -maxdepth 1 -name init") == ""
    assert "* small " in console.run("ostree admin status", timeout=120)


def test_our_ramdisk(work: Path, ostree: str, system: SmallSystem) -> None:
    """The disk is found by the table's number of its partition, its driver by the hardware."""
    arguments = deploy(work, ostree, system, Release("A"), "root=PARTUUID=0b007ab1-01")
    direct = DirectBoot(system.kernel, arguments, work / "ramdisk-A.img")
    with Machine(AMD64, work / "A.img", work / "A.log", direct=direct) as machine:
        check(machine, "A")


def test_no_ramdisk(work: Path, ostree: str, system: SmallSystem) -> None:
    """The kernel mounts the disk itself and starts what ``deploy`` has written as ``init=``."""
    release = Release("B", has_ramdisk=False)
    arguments = deploy(work, ostree, system, release, "root=/dev/nvme0n1p1", "rw", "rootwait")
    assert "/usr/lib/ostree/ostree-prepare-root" in arguments
    direct = DirectBoot(system.kernel, arguments)
    disk = work / "B.img"
    with Machine(
        AMD64, disk, work / "B.log", direct=direct, disk_device="nvme,serial=1"
    ) as machine:
        check(machine, "B")
        machine.console.send("reboot\n")
        machine.after_reset()
        # Nothing that the first start left is in the way of the second.
        check(machine, "B")
