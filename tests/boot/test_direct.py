"""A kernel of Debian's and our ramdisk start a deployment in QEMU, without any boot loader."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from boot.disk import Partition, make_disk
from boot.machine import AMD64, DirectBoot, Machine
from boot.small_system import UP, Release, SmallSystem, owned_by_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REF = "small/main"


@pytest.fixture(scope="module")
def system(work: Path, ostree: str) -> SmallSystem:
    owned_by_root()
    return SmallSystem(AMD64, work, ostree)


@pytest.fixture(scope="module")
def sysroot(work: Path, ostree: str, system: SmallSystem) -> Path:
    """A physical root with one deployment."""
    sysroot = work / "sysroot"
    sysroot.mkdir()
    tree = system.tree(Release("A"))

    def run(*arguments: str) -> None:
        subprocess.run([ostree, *arguments], check=True, capture_output=True)

    run("admin", "init-fs", "--modern", str(sysroot))
    run("admin", "os-init", f"--sysroot={sysroot}", "small")
    run("commit", f"--repo={sysroot}/ostree/repo", f"--branch={REF}", str(tree))
    shutil.rmtree(tree)
    run("admin", "deploy", f"--sysroot={sysroot}", "--os=small", REF)
    return sysroot


@pytest.fixture
def machine(work: Path, system: SmallSystem, sysroot: Path) -> Iterator[Machine]:
    disk = work / "direct.img"
    make_disk(disk, [Partition("the-root", 600, sysroot)])
    (links,) = (sysroot / "ostree/boot.1/small").iterdir()
    direct = DirectBoot(
        system.kernel,
        work / "ramdisk-A.img",
        f"root=PARTUUID=0b007ab1-01 ostree=/ostree/boot.1/small/{links.name}/0 "
        f"console={AMD64.console} panic=1 quiet",
    )
    with Machine(AMD64, disk, work / "direct.log", direct=direct) as machine:
        yield machine


def test_a_deployment_is_started(machine: Machine) -> None:
    """The disk is found by the table's number of its partition, its driver by the hardware."""
    assert machine.console.expect(UP, 120)[1] == "A"
    console = machine.console
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
