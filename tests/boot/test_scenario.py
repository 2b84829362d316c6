"""The life of a device: updated by the vendor's commands, and back from a bad release by itself.

U-Boot starts it.  The commands in the guest are those of the vendor's guide, as they stand there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from boot.device import Device
from boot.machine import AMD64, ARM64, ARMHF, Machine
from boot.server import serving
from boot.small_system import UP, owned_by_root
from boot.vendor import Vendor

if TYPE_CHECKING:
    from pathlib import Path

    from boot.machine import Architecture
    from boot.steps import Steps

PANIC = "Kernel panic - not syncing"


@pytest.mark.parametrize(
    ("architecture", "separate_boot", "broken"),
    [
        pytest.param(AMD64, True, "ramdisk", id="amd64"),
        pytest.param(ARM64, False, "init", id="arm64"),
        pytest.param(AMD64, False, "init", id="amd64-one-partition", marks=pytest.mark.full),
        pytest.param(ARM64, True, "ramdisk", id="arm64-boot-partition", marks=pytest.mark.full),
        pytest.param(ARMHF, True, "init", id="armhf-boot-partition", marks=pytest.mark.full),
        pytest.param(ARMHF, False, "ramdisk", id="armhf-one-partition", marks=pytest.mark.full),
    ],
)
def test_a_device_is_updated_and_comes_back_from_a_bad_release(
    work: Path,
    logs: Path,
    steps: Steps,
    ostree: str,
    architecture: Architecture,
    separate_boot: bool,
    broken: str,
) -> None:
    owned_by_root()
    name = f"{architecture.name}-{'boot-partition' if separate_boot else 'one-partition'}"
    directory = work / name
    directory.mkdir()
    vendor = Vendor(directory, ostree, architecture, separate_boot=separate_boot, steps=steps)
    commit = vendor.publish("A")
    disk = vendor.make_disk()
    with (
        serving(ostree, vendor.served) as port,
        Machine(architecture, disk, logs / "console.log", server_port=port) as machine,
    ):
        device = Device(machine, steps)
        device.wait_until_up("A")
        device.check_root(commit)
        device.accept()
        device.run("echo changed >/etc/local.conf; echo A >/var/data")
        device.add_remote()

        # A good update: what is the machine's own stays.
        commit = vendor.publish("B")
        device.update(commit)
        device.reboot()
        device.wait_until_up("B")
        device.check_root(commit)
        assert device.run("cat /etc/local.conf /var/data") == "changed\nA"
        device.accept()

        # A hotfix outlives a reboot.
        device.run("ostree admin unlock --hotfix; echo hot >/usr/hot; sync")
        device.reboot()
        device.wait_until_up("B")
        assert device.run("cat /usr/hot") == "hot"
        device.accept()

        # A release that never comes up: two tries, then the one before.
        bad = vendor.publish("C", broken)
        device.update(bad)
        device.reboot()
        for number in (1, 2):
            device.fail(number, PANIC)
        device.fall_back("B", bad)
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
        if machine.console.expect(UP, 300)[1] == "B":
            device.expect_shell()
            device.update(commit)
            device.reboot()
            assert machine.console.expect(UP, 300)[1] == "D"
        device.expect_shell()
        # The hotfix was for the one before.
        device.check_root(commit)
        assert device.run("cat /etc/local.conf /var/data; ls /usr/hot 2>&1", status=None).endswith(
            "No such file or directory"
        )
        device.run("ostree fsck", timeout=300)
