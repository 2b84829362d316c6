"""The life of a device: updated by the vendor's commands, and back from bad releases by itself.

U-Boot starts it.  The commands in the guest are those of the vendor's guide, as they stand there.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from boot.disk import Partition, make_disk
from boot.machine import AMD64, Machine
from boot.server import serving
from boot.small_system import UP, Release, SmallSystem, owned_by_root
from ostree.boot.scripts import read_script

if TYPE_CHECKING:
    import re
    from pathlib import Path

REF = "dunfell-am335x-hw26-dev"
REPOSITORY = "ostree_repo"
BOOT_PARTITION = "LABEL=boot /boot ext4 rw,noatime 0 0\n"


class Vendor:
    """Builds releases and the first disk image."""

    def __init__(self, work: Path, ostree: str, *, separate_boot: bool) -> None:
        self.name = work.name
        # What is broken in the bad release: each layout has another one.
        self.broken = "ramdisk" if separate_boot else "init"
        self._work = work
        self._ostree = ostree
        self._separate_boot = separate_boot
        fstab = BOOT_PARTITION if separate_boot else ""
        self._system = SmallSystem(AMD64, work, ostree, fstab=fstab)
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
        words = ("root=LABEL=root", "rootwait", f"console={AMD64.console}", "panic=1", "quiet")
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
        source, script = self._work / "boot.cmd", self._work / "boot.scr"
        state = self._work / "bootstate.env"
        source.write_bytes(read_script("boot.cmd"))
        state.write_text("bootcount=0\n")
        if not shutil.which("mkimage"):
            pytest.skip("mkimage (Debian: u-boot-tools) is not installed")
        compile = ["mkimage", "-A", "x86", "-T", "script", "-C", "none", "-d", str(source)]
        subprocess.run([*compile, str(script)], check=True, capture_output=True)
        return script, state


class Device:
    """The machine, and what its user does."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def wait_until_up(self, version: str) -> None:
        """Wait for a release to be up and to give its shell."""
        assert self._machine.console.expect(UP, 120)[1] == version
        self.expect_shell()

    def expect_shell(self) -> None:
        """Wait until a command can be typed."""
        self.expect(r"Enter 'help' for a list of built-in commands\.\n")

    def check_root(self) -> None:
        """Look whether everything is as the ramdisk has to prepare it."""
        assert "Read-only file system" in self.run("touch /usr/probe 2>&1", status=1)
        self.run(
            "touch /etc/probe /var/probe; rm /etc/probe /var/probe; test -e /run/ostree-booted"
        )
        mounts = self.run("cat /proc/mounts")
        places = {line.split()[1] for line in mounts.splitlines()}
        assert {"/", "/usr", "/var", "/sysroot", "/boot"} <= places

    def run(self, command: str, *, timeout: float = 120, status: int | None = 0) -> str:
        return self._machine.console.run(command, timeout=timeout, status=status)

    def accept(self) -> str:
        """What a unit of the system would do: look whether it is well, and tell U-Boot."""
        out = self.run("ostree admin health-check")
        assert "The boot loader counts from 0 again" in out
        return out

    def reboot(self) -> None:
        self._machine.console.send("reboot\n")
        self._machine.after_reset()

    def update(self, commit: str) -> None:
        """What the vendor's guide says, after the remote was added."""
        self.run(f"ostree pull local_repo:{REF}", timeout=300)
        self.run(f"ostree admin deploy local_repo:{REF}", timeout=300)
        assert commit in self.run("ostree admin status | grep pending")

    def expect_failed_tries(self, count: int) -> None:
        """The machine starts, panics and resets itself."""
        for number in range(1, count + 1):
            self._machine.console.expect(rf"ostree: try {number}, limit {count}\n", 60)
            self._machine.console.expect(r"Kernel panic - not syncing", 60)
            self._machine.after_reset()

    def expect(self, pattern: str) -> re.Match[str]:
        return self._machine.console.expect(pattern, 60)


@pytest.fixture(params=["boot-partition", "single"])
def vendor(work: Path, ostree: str, request: pytest.FixtureRequest) -> Vendor:
    owned_by_root()
    directory = work / request.param
    directory.mkdir()
    return Vendor(directory, ostree, separate_boot=request.param == "boot-partition")


def test_a_device_is_updated_and_comes_back_from_bad_releases(
    work: Path, ostree: str, vendor: Vendor
) -> None:
    vendor.publish("A")
    disk = vendor.make_disk()
    log = work / f"{vendor.name}.log"
    with (
        serving(ostree, vendor.served) as port,
        Machine(AMD64, disk, log, server_port=port) as machine,
    ):
        device = Device(machine)
        device.wait_until_up("A")
        device.check_root()
        device.accept()
        device.run("echo changed >/etc/local.conf; echo A >/var/data")
        device.run(f"ostree remote add local_repo http://10.0.2.100/{REPOSITORY} --no-gpg-verify")
        assert device.run("ostree remote refs local_repo") == f"local_repo:{REF}"

        # A good update: what is the machine's own stays.
        device.update(vendor.publish("B"))
        device.reboot()
        device.wait_until_up("B")
        device.check_root()
        assert device.run("cat /etc/local.conf /var/data") == "changed\nA"
        device.accept()

        # A hotfix outlives a reboot.
        device.run("ostree admin unlock --hotfix; echo hot >/usr/hot; sync")
        device.reboot()
        device.wait_until_up("B")
        assert device.run("cat /usr/hot") == "hot"
        device.accept()

        # A release that never comes up: two tries, then the one before.
        bad = vendor.publish("C", vendor.broken)
        device.update(bad)
        device.reboot()
        device.expect_failed_tries(2)
        device.expect("ostree: FALLBACK")
        device.wait_until_up("B")
        assert " ostree.fallback=3" in device.run("cat /proc/cmdline")
        assert f"Deployment {bad}.0 did not start; back to " in device.accept()
        assert f"Failed to start: small {bad}" in device.run("ostree admin status")
        # It is not taken again, though it is what the server offers.
        assert f"Commit {bad} did not start" in device.run("ostree admin upgrade", timeout=300)
        device.reboot()
        device.wait_until_up("B")
        assert "ostree.fallback" not in device.run("cat /proc/cmdline")
        device.accept()

        # The next good one, and the power fails as soon as the command returns.  U-Boot replays no
        # journal: it may find the one before, but a whole one.
        commit = vendor.publish("D")
        device.update(commit)
        machine.power_on()
        if machine.console.expect(UP, 120)[1] == "B":
            device.expect_shell()
            device.update(commit)
            device.reboot()
            assert machine.console.expect(UP, 120)[1] == "D"
        device.expect_shell()
        # The hotfix was for the one before.
        device.check_root()
        assert device.run("cat /etc/local.conf /var/data; ls /usr/hot 2>&1", status=None).endswith(
            "No such file or directory"
        )
        device.run("ostree fsck", timeout=300)
