"""A device in QEMU, and what its user does: the commands are those of the vendor's guide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boot.mount_table import read_mounts
from boot.small_system import UP
from boot.steps import Steps
from boot.vendor import REF, REPOSITORY

if TYPE_CHECKING:
    import re

    from boot.machine import Machine


class Device:
    """The machine, and what its user does.

    Args:
        machine: It is on.
        steps: Gets how long each step takes.
    """

    #: Of its system.
    stateroot = "small"

    def __init__(self, machine: Machine, steps: Steps | None = None) -> None:
        self._machine = machine
        self._steps = Steps() if steps is None else steps

    def add_remote(self) -> None:
        """What the vendor's guide says, once."""
        with self._steps.step("remote add, remote refs"):
            self.run(f"ostree remote add local_repo http://10.0.2.100/{REPOSITORY} --no-gpg-verify")
            assert self.run("ostree remote refs local_repo") == f"local_repo:{REF}"

    def wait_until_up(self, version: str) -> None:
        """Wait for a release to be up and to give its shell."""
        with self._steps.step(f"{version} starts"):
            assert self._machine.console.expect(UP, 300)[1] == version
            self.expect_shell()

    def wait_until_any_is_up(self) -> str:
        """Wait for whatever release is started, and tell its version."""
        with self._steps.step("start"):
            version = self._machine.console.expect(UP, 300)[1]
            self.expect_shell()
        return version

    def cut_power(self) -> None:
        """Nothing is flushed, nothing told; then the power is back."""
        self._machine.power_on()

    def expect_shell(self) -> None:
        """Wait until a command can be typed."""
        self.expect(r"Enter 'help' for a list of built-in commands\.\n")

    def check_root(self, commit: str) -> None:
        """Look whether everything is as the ramdisk has to prepare it.

        Args:
            commit: What has to run.
        """
        assert "Read-only file system" in self.run("touch /usr/probe 2>&1", status=1)
        self.run(
            "touch /etc/probe /var/probe; rm /etc/probe /var/probe; test -e /run/ostree-booted"
        )
        words = dict(word.partition("=")[::2] for word in self.run("cat /proc/cmdline").split(" "))
        deployment = self.run(f"readlink -f /sysroot{words['ostree']}").removeprefix("/sysroot")
        assert deployment == f"/ostree/deploy/{self.stateroot}/deploy/{commit}.0"
        mounts = read_mounts(self.run("cat /proc/self/mountinfo"))
        assert mounts["/"].root == deployment
        assert mounts["/usr"].root == f"{deployment}/usr"
        assert "ro" in mounts["/usr"].options
        assert mounts["/var"].root == f"/ostree/deploy/{self.stateroot}/var"
        assert mounts["/sysroot"].root == "/"
        assert len({mounts[place].device for place in ("/", "/usr", "/var", "/sysroot")}) == 1
        is_separate = mounts["/boot"].device != mounts["/"].device
        assert mounts["/boot"].root == ("/" if is_separate else "/boot")
        assert "loader" in self.run("ls /boot").split()

    def check_byte_code(self) -> None:
        """Look whether our modules, whose files have the time 0, are loaded without being compiled."""
        loading = "python3 -I -v -c 'import ostree.sysroot.sysroot' 2>&1"
        assert self.run(f"{loading} | grep -c '^# code object from /'", status=1) == "0"
        assert int(self.run(f'{loading} | grep -c "^# code object from \'/usr/lib/"')) > 50

    def run(self, command: str, *, timeout: float = 300, status: int | None = 0) -> str:
        return self._machine.console.run(command, timeout=timeout, status=status)

    def accept(self) -> str:
        """What a unit of the system would do: look whether it is well, and tell U-Boot."""
        with self._steps.step("health-check"):
            out = self.run("ostree admin health-check")
        assert "The boot loader counts from 0 again" in out
        return out

    def unlock_for_hotfix(self) -> None:
        """What the vendor's guide has for software that an update is to remove."""
        with self._steps.step("unlock --hotfix"):
            self.run("ostree admin unlock --hotfix")

    def reboot(self) -> None:
        with self._steps.step("reboot"):
            self._machine.console.send("reboot\n")
            self._machine.after_reset(200)

    def update(self, commit: str, *options: str) -> None:
        """What the vendor's guide says, after the remote was added.

        Args:
            commit: What is expected to be offered.
            options: Further ones of ``deploy``.
        """
        with self._steps.step("pull"):
            self.run(f"ostree pull local_repo:{REF}", timeout=300)
        with self._steps.step("admin deploy"):
            self.run(" ".join(["ostree admin deploy", *options, f"local_repo:{REF}"]), timeout=300)
        with self._steps.step("admin status"):
            assert commit in self.run("ostree admin status | grep pending")

    def fail(self, number: int, sign: str, timeout: float = 200) -> None:
        """Watch a try fail: the machine starts, shows a sign and resets itself.

        Args:
            number: Of the try, as U-Boot counts.
            sign: A pattern of what it says.
            timeout: Seconds until it is reset.
        """
        with self._steps.step(f"try {number} fails"):
            self.expect(rf"ostree: try {number}, limit 2\n")
            self.expect(sign)
            self._machine.after_reset(timeout)

    def fall_back(self, version: str, bad: str) -> None:
        """Watch the machine start the release before, which puts the bad one away for good."""
        self.expect("ostree: FALLBACK")
        self.wait_until_up(version)
        assert " ostree.fallback=" in self.run("cat /proc/cmdline")
        self.put_away(bad)

    def put_away(self, bad: str) -> None:
        """What a unit of the system would do after a fallback."""
        with self._steps.step("health-check after a fallback"):
            out = self.run("ostree admin health-check")
        assert f"Deployment {bad}.0 did not start; back to " in out
        with self._steps.step("admin status"):
            assert f"Failed to start: small {bad}" in self.run("ostree admin status")

    def expect(self, pattern: str) -> re.Match[str]:
        return self._machine.console.expect(pattern, 200)
