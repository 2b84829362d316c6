"""A deployment on a disk whose kernel QEMU starts itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from boot.machine import AMD64
from boot.small_system import UP

if TYPE_CHECKING:
    from pathlib import Path

    from boot.machine import Machine
    from boot.small_system import Release, SmallSystem

REF = "small/main"


def deploy(
    work: Path, ostree: str, system: SmallSystem, release: Release, root_by: str, *words: str
) -> str:
    """Make ``VERSION.img``, a disk with one deployment; gives the kernel's command line.

    Args:
        work: Where to.
        ostree: Our command on this machine.
        system: Makes the release.
        release: What is deployed.
        root_by: How ``root=`` names the root file system, for ``image build``.
        words: Further ones of the command line.
    """
    repo, image = work / f"repo-{release.version}", work / f"{release.version}.img"
    changes = system.changes(release)

    def run(*arguments: str) -> str:
        return _output(ostree, *arguments)

    run("init", f"--repo={repo}", "--mode=bare")
    trees = (f"--tree=dir={system.base}", f"--tree=dir={changes}")
    run("commit", f"--repo={repo}", "--fsync=false", f"--branch={REF}", *trees)
    arguments = " ".join([*words, f"console={AMD64.console}", "panic=1", "quiet", AMD64.arguments])
    made = run(
        *(
            "image",
            "build",
            "--json",
            f"--repo={repo}",
            f"--ref={REF}",
            "--os=small",
            "--bootloader=none",
        ),
        *("--table=mbr", f"--root-by={root_by}", f"--kargs={arguments}", f"--output={image}"),
    )
    shutil.rmtree(repo)
    shutil.rmtree(changes)
    return _options(image, json.loads(made)["partitions"][-1]["offset"])


def _options(image: Path, offset: int) -> str:
    """The command line in the one boot entry of an image, whose root is so far from its start."""
    entry = "/boot/loader/entries/ostree-1.conf"
    text = _output("debugfs", "-R", f"cat {entry}", f"{image}?offset={offset}")
    (options,) = (line for line in text.splitlines() if line.startswith("options "))
    return options.removeprefix("options ")


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


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
