"""The maker of a device: builds releases, publishes them, and makes the first disk image."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from boot.disk import Partition, make_disk
from boot.small_system import Release, SmallSystem
from ostree.boot.scripts import read_script
from ostree.formats import uboot_script

if TYPE_CHECKING:
    from pathlib import Path

    from boot.machine import Architecture

REF = "dunfell-am335x-hw26-dev"
REPOSITORY = "ostree_repo"
_BOOT_PARTITION = "LABEL=boot /boot ext4 rw,noatime 0 0\n"


class Vendor:
    """Builds releases and the first disk image.

    Args:
        work: An empty directory.
        ostree: Our command on this machine.
        architecture: The device's.
        separate_boot: Whether ``/boot`` is a file system of its own.

    Attributes:
        served: What is to be served; the repository is in there.
    """

    def __init__(
        self, work: Path, ostree: str, architecture: Architecture, *, separate_boot: bool
    ) -> None:
        self.architecture = architecture
        self._work = work
        self._ostree = ostree
        self._separate_boot = separate_boot
        fstab = _BOOT_PARTITION if separate_boot else ""
        self._system = SmallSystem(architecture, work, ostree, fstab=fstab)
        self.served = work / "srv"
        self.served.mkdir()
        self._repository = self.served / REPOSITORY
        self._run("init", f"--repo={self._repository}", "--mode=archive")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._ostree, *arguments], check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def publish(self, version: str, broken: str = "") -> str:
        """Commit a release; gives its checksum."""
        tree = self._system.tree(Release(version, broken))
        repo = f"--repo={self._repository}"
        metadata = f"--add-metadata-string=version={version}"
        owner = ("--owner-uid=0", "--owner-gid=0")
        commit = self._run("commit", repo, f"--branch={REF}", metadata, *owner, str(tree)).strip()
        shutil.rmtree(tree)
        self._run("summary", "-u", repo)
        return commit

    def make_disk(self) -> Path:
        """An image with the release that was published last."""
        sysroot = self._work / "sysroot"
        sysroot.mkdir()
        self._run("admin", "init-fs", "--modern", str(sysroot))
        at = f"--sysroot={sysroot}"
        self._run("admin", "os-init", at, "small")
        self._run("pull-local", f"--repo={sysroot}/ostree/repo", str(self._repository), REF)
        # By this file OSTree knows that the boot loader is U-Boot.
        (sysroot / "boot/loader.0").mkdir()
        (sysroot / "boot/loader").symlink_to("loader.0")
        (sysroot / "boot/loader.0/uEnv.txt").touch()
        words = (
            "root=LABEL=root",
            "rootwait",
            f"console={self.architecture.console}",
            "panic=1",
            "quiet",
        )
        arguments = [f"--karg={word}" for word in words]
        self._run("admin", "deploy", at, "--os=small", *arguments, REF)
        image = self._work / "disk.img"
        partitions = [Partition("FIRMWARE", 16, files=self._firmware_files())]
        if self._separate_boot:
            boot = self._work / "boot"
            shutil.move(sysroot / "boot", boot)
            (sysroot / "boot").mkdir()
            partitions.append(Partition("boot", 160, boot))
        make_disk(image, [*partitions, Partition("root", 700, sysroot)])
        return image

    def _firmware_files(self) -> tuple[Path, ...]:
        script, state = self._work / "boot.scr", self._work / "bootstate.env"
        script.write_bytes(uboot_script.encode(read_script("boot.cmd"), name="OSTree"))
        state.write_text("bootcount=0\n")
        return script, state
