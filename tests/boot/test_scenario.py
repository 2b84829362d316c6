"""The life of a device: updated by the vendor's commands, and back from a bad release by itself.

U-Boot starts it.  The commands in the guest are those of the vendor's guide, as they stand there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from boot.bad_releases import come_back
from boot.device import Device
from boot.machine import AMD64, ARM64, ARMHF, Machine
from boot.server import serving
from boot.small_system import owned_by_root
from boot.vendor import Vendor

if TYPE_CHECKING:
    from pathlib import Path

    from boot.machine import Architecture
    from boot.steps import Steps


@pytest.mark.parametrize(
    ("architecture", "separate_boot", "broken"),
    [
        pytest.param(AMD64, True, ["ramdisk", "health"], id="amd64", marks=pytest.mark.quick),
        pytest.param(ARM64, False, ["kernel", "hang"], id="arm64", marks=pytest.mark.quick),
        pytest.param(AMD64, False, ["init"], id="amd64-one-partition", marks=pytest.mark.full),
        pytest.param(ARM64, True, ["ramdisk"], id="arm64-boot-partition", marks=pytest.mark.full),
        pytest.param(ARMHF, True, ["init"], id="armhf-boot-partition", marks=pytest.mark.full),
        pytest.param(ARMHF, False, ["ramdisk"], id="armhf-one-partition", marks=pytest.mark.full),
    ],
)
def test_a_device_is_updated_and_comes_back_from_bad_releases(
    work: Path,
    logs: Path,
    steps: Steps,
    ostree: str,
    architecture: Architecture,
    separate_boot: bool,
    broken: list[str],
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
        device.expect("ostree: try 0, limit 2\n")  # alone, so that nothing is counted
        device.wait_until_up("A")
        device.check_root(commit)
        device.check_byte_code()
        device.accept()
        device.add_remote()

        _update(device, vendor)
        _fix(device)
        for each in broken:
            come_back(device, vendor, each, "B")
        _go_on(device)
        _update_without_power(device, vendor)
        with steps.step("fsck"):
            device.run("ostree fsck", timeout=300)


def _update(device: Device, vendor: Vendor) -> None:
    """A good update, to B: what is the machine's own stays."""
    device.run("echo changed >/etc/local.conf; echo A >/var/data")
    commit = vendor.publish("B")
    device.update(commit)
    device.reboot()
    device.expect("ostree: try 1, limit 2\n")
    device.wait_until_up("B")
    device.check_root(commit)
    assert device.run("cat /etc/local.conf /var/data") == "changed\nA"
    device.accept()


def _fix(device: Device) -> None:
    """A hotfix of B, which outlives a reboot."""
    device.unlock_for_hotfix()
    device.run("echo hot >/usr/hot; sync")
    device.reboot()
    device.wait_until_up("B")
    assert device.run("cat /usr/hot") == "hot"
    device.accept()


def _go_on(device: Device) -> None:
    """After fallbacks, B is what is started, as it was."""
    assert device.run("cat /usr/hot") == "hot"
    device.reboot()
    device.wait_until_up("B")
    assert "ostree.fallback" not in device.run("cat /proc/cmdline")
    device.accept()


def _update_without_power(device: Device, vendor: Vendor) -> None:
    """The next good one, D, and the power fails as soon as the command returns.

    U-Boot replays no journal: it may find the one before, but a whole one.
    """
    commit = vendor.publish("D")
    device.update(commit)
    device.cut_power()
    if device.wait_until_any_is_up() == "B":
        device.update(commit)
        device.reboot()
        device.wait_until_up("D")
    # The hotfix was for the one before.
    device.check_root(commit)
    assert device.run("cat /etc/local.conf /var/data; ls /usr/hot 2>&1", status=None).endswith(
        "No such file or directory"
    )
