"""A deployment on a disk whose kernel QEMU starts itself."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from boot.disk import Partition, make_disk
from boot.machine import AMD64
from boot.small_system import UP

if TYPE_CHECKING:
    from pathlib import Path

    from boot.machine import Machine
    from boot.small_system import Release, SmallSystem

REF = "small/main"


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
