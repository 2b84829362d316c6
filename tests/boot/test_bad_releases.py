"""Releases that are bad in every way: the device comes back by itself, and takes them no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from boot.bad_releases import come_back
from boot.device import Device
from boot.machine import AMD64, ARM64, Machine
from boot.server import serving
from boot.small_system import owned_by_root
from boot.vendor import REPOSITORY, Vendor

if TYPE_CHECKING:
    from pathlib import Path

    from boot.machine import Architecture
    from boot.steps import Steps


@pytest.mark.parametrize(
    ("architecture", "broken"),
    [
        pytest.param(AMD64, ["no-kernel", "init", "hang"], id="amd64"),
        pytest.param(ARM64, ["no-kernel", "ramdisk", "init"], id="arm64"),
    ],
)
def test_a_device_comes_back_and_takes_the_next_good_release(
    work: Path,
    logs: Path,
    steps: Steps,
    ostree: str,
    architecture: Architecture,
    broken: list[str],
) -> None:
    owned_by_root()
    directory = work / architecture.name
    directory.mkdir()
    separate_boot = architecture is ARM64
    vendor = Vendor(directory, ostree, architecture, separate_boot=separate_boot, steps=steps)
    vendor.publish("A")
    # What the first release follows is configured in the image.
    url = f"http://10.0.2.100/{REPOSITORY}"
    disk = vendor.make_disk("uboot", f"--remote=local_repo={url}", "--no-gpg-verify")
    with (
        serving(ostree, vendor.served) as port,
        Machine(architecture, disk, logs / "console.log", server_port=port) as machine,
    ):
        device = Device(machine, steps)
        device.wait_until_up("A")
        device.accept()

        for each in broken:
            come_back(device, vendor, each, "A")

        # A good one, with a watchdog that the system stops.
        commit = vendor.publish("B")
        device.update(commit, "--karg=ostree.watchdog=300")
        device.reboot()
        device.wait_until_up("B")
        device.check_root(commit)
        assert "The watchdog of the start is stopped" in device.accept()
        failed = device.run("ostree admin status").count("Failed to start: ")
        assert failed == len(broken)
