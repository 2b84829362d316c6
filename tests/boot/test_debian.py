"""A real Debian with systemd: the vendor's commands, updates that wait for the shutdown, and back.

U-Boot starts an image of ``ostree image build``; everything that a person would type in the guest
is typed there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from boot.debian_system import CONSOLE, DebianSystem
from boot.device import Device
from boot.machine import AMD64, Machine
from boot.server import serving
from boot.small_system import owned_by_root
from boot.vendor import REF

if TYPE_CHECKING:
    from pathlib import Path

    from boot.steps import Steps

pytestmark = pytest.mark.full

FINALIZE = "ostree-finalize-staged.service"
BOOT_COMPLETE = "ostree-boot-complete.service"


class DebianDevice(Device):
    """A device with systemd, whose units do what the small system's user does."""

    stateroot = "debian"

    def wait_until_up(self, version: str) -> None:
        """Wait for a shell, and for all units to be well."""
        self.wait_with_failed(version)

    def wait_with_failed(self, version: str, *units: str) -> None:
        """Wait for a shell, and for all units to be well but some."""
        with self._steps.step(f"{version} starts"):
            assert self._machine.console.expect(CONSOLE, 300)[1] == version
            state = self.run("systemctl is-system-running --wait", status=None)
        failed = self.run("systemctl list-units --failed --plain --no-legend")
        names = [line.split()[0] for line in failed.splitlines()]
        warnings = self.run("journalctl -b -p warning --no-pager -o cat")
        assert (state, names) == ("degraded" if units else "running", [*units]), warnings
        # File systems were left clean, although /usr is busy to the end.
        assert self.run("dmesg | grep -i 'recovery complete'", status=1) == ""
        # A program of its own says so, after the unit has found it well.
        assert self.run("cat /var/lib/healthy") == version
        assert self.states("ostree-remount", "ostree-health-check") == ["active", "active"]

    def states(self, *units: str) -> list[str]:
        """Of units, as ``systemctl is-active`` has them."""
        return self.run(f"systemctl is-active {' '.join(units)}", status=None).split()

    def stage(self, commit: str) -> None:
        """Pull, and leave the rest to the shutdown."""
        self.run(f"ostree pull local_repo:{REF}")
        with self._steps.step("admin deploy --stage"):
            self.run(f"ostree admin deploy --stage local_repo:{REF}")
        assert f"{commit}.0 (staged)" in self.run("ostree admin status")
        assert self.states(FINALIZE) == ["active"]

    def reboot(self) -> None:
        """By systemd: units are stopped, and what is staged is finished."""
        self.run("rm /var/lib/healthy")
        super().reboot()

    def said_at_shutdown(self) -> str:
        """What the unit that finishes a staged deployment said before this boot."""
        return self.run(f"journalctl -b -1 -u {FINALIZE} --no-pager -o cat")


def test_debian_is_updated(work: Path, logs: Path, steps: Steps, ostree: str) -> None:
    owned_by_root()
    directory = work / "debian"
    directory.mkdir()
    system = DebianSystem(directory, ostree, steps)
    commit = system.publish("A")
    disk = system.make_disk()
    with (
        serving(ostree, system.served) as port,
        Machine(AMD64, disk, logs / "console.log", server_port=port, memory=1024) as machine,
    ):
        device = DebianDevice(machine, steps)
        device.wait_until_up("A")
        device.check_root(commit)
        device.run("echo changed >/etc/local.conf; echo A >/var/data")
        device.add_remote()

        # The vendor's guide, word by word.
        commit = system.publish("B")
        device.update(commit)
        device.reboot()
        device.wait_until_up("B")
        device.check_root(commit)
        assert device.run("cat /etc/local.conf /var/data /etc/release-note") == (
            "changed\nA\ndefault of B"
        )

        # A staged deployment is finished at shutdown, with what was changed until then.
        device.stage(system.publish("C"))
        device.run("echo later >/etc/later.conf")
        device.reboot()
        device.wait_until_up("C")
        assert device.run("cat /etc/local.conf /etc/later.conf /var/data") == "changed\nlater\nA"
        assert "Finalizing deployment" in device.said_at_shutdown()

        # One that cannot be finished leaves everything as it was; the next start tells why.
        device.stage(system.publish("conflict", etc_directory="spot"))
        device.run("echo mine >/etc/spot")
        device.reboot()
        device.wait_with_failed("C", BOOT_COMPLETE)
        reason = device.run(f"journalctl -b -u {BOOT_COMPLETE} --no-pager -o cat")
        assert f"error: {FINALIZE} failed on previous boot: " in reason
        assert device.run("cat /etc/spot; rm /etc/spot") == "mine"

        # The short way.
        system.publish("D")
        with steps.step("admin upgrade"):
            device.run("ostree admin upgrade")
        assert "(pending)" in device.run("ostree admin status")
        device.reboot()
        device.wait_until_up("D")

        # And back by hand, with the configuration of then.
        with steps.step("admin rollback"):
            device.run("ostree admin rollback")
        device.reboot()
        device.wait_until_up("C")
        assert device.run("cat /etc/local.conf /etc/release-note") == "changed\ndefault of C"
        with steps.step("fsck"):
            device.run("ostree fsck", timeout=600)
