"""The maker of a device: builds releases, publishes them, and makes the first disk image."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from boot.small_system import Release, SmallSystem
from boot.steps import Steps

if TYPE_CHECKING:
    from pathlib import Path

    from boot.machine import Architecture

REF = "dunfell-am335x-hw26-dev"
REPOSITORY = "ostree_repo"


class Vendor:
    """Builds releases and the first disk image.

    Args:
        work: An empty directory.
        ostree: Our command on this machine.
        architecture: The device's.
        separate_boot: Whether ``/boot`` is a file system of its own.
        steps: Gets how long each step takes.

    Attributes:
        served: What is to be served; the repository is in there.
    """

    def __init__(
        self,
        work: Path,
        ostree: str,
        architecture: Architecture,
        *,
        separate_boot: bool,
        steps: Steps | None = None,
    ) -> None:
        self.architecture = architecture
        self._work = work
        self._ostree = ostree
        self._separate_boot = separate_boot
        self._steps = Steps() if steps is None else steps
        with self._steps.step("fetch packages"):
            self._system = SmallSystem(architecture, work, ostree)
        self.served = work / "srv"
        self.served.mkdir()
        self._repository = self.served / REPOSITORY
        self._run("init", f"--repo={self._repository}", "--mode=archive")
        # Nothing of this has to outlive this machine.
        self._run("config", f"--repo={self._repository}", "set", "core.fsync", "false")
        with self._steps.step("commit the tree"):
            # Of no branch: those are what is offered to devices.
            self._base = self._commit("--orphan", f"--tree=dir={self._system.base}")
            shutil.rmtree(self._system.base)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._ostree, *arguments], check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def _commit(self, *options: str) -> str:
        owner = ("--owner-uid=0", "--owner-gid=0")
        return self._run("commit", f"--repo={self._repository}", *owner, *options).strip()

    def publish(self, version: str, broken: str = "") -> str:
        """Commit a release; gives its checksum."""
        with self._steps.step(f"publish {version}"):
            changes = self._system.changes(Release(version, broken))
            trees = (f"--tree=ref={self._base}", f"--tree=dir={changes}")
            metadata = f"--add-metadata-string=version={version}"
            commit = self._commit(f"--branch={REF}", *trees, metadata)
            shutil.rmtree(changes)
            self._run("summary", "-u", f"--repo={self._repository}")
        return commit

    def publish_again(self, version: str, commit: str) -> str:
        """Commit a release that was published before; gives the new commit's checksum."""
        metadata = f"--add-metadata-string=version={version}"
        again = self._commit(f"--branch={REF}", f"--tree=ref={commit}", metadata)
        self._run("summary", "-u", f"--repo={self._repository}")
        return again

    def make_disk(self, bootloader: str = "uboot", *options: str) -> Path:
        """An image with the release that was published last.

        Args:
            bootloader: As ``image build`` has it.
            options: Further ones of that command.
        """
        image = self._work / "disk.img"
        layout = "boot-partition" if self._separate_boot else "single"
        table = "gpt" if self._separate_boot else "mbr"
        fast = self.architecture.arguments
        kargs = f"--kargs=console={self.architecture.console} panic=1 quiet {fast}"
        with self._steps.step("image build"):
            self._run(
                *("image", "build", f"--repo={self._repository}", f"--ref={REF}", "--os=small"),
                *(f"--bootloader={bootloader}", f"--layout={layout}", f"--table={table}"),
                *(kargs, f"--output={image}", *options),
            )
        return image
