"""Releases that are bad in every way: the device comes back by itself, and takes them no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boot.device import Device
from boot.machine import AMD64, Machine
from boot.server import serving
from boot.small_system import owned_by_root
from boot.vendor import Vendor

if TYPE_CHECKING:
    from pathlib import Path


def test_the_device_comes_back(work: Path, ostree: str) -> None:
    owned_by_root()
    directory = work / "bad"
    directory.mkdir()
    vendor = Vendor(directory, ostree, AMD64, separate_boot=False)
    vendor.publish("A")
    disk = vendor.make_disk()
    with (
        serving(ostree, vendor.served) as port,
        Machine(AMD64, disk, work / "bad.log", server_port=port) as machine,
    ):
        device = Device(machine)
        device.wait_until_up("A")
        device.accept()
        device.add_remote()

        # What is no kernel is not even started: the other one is, at once.
        bad = vendor.publish("no-kernel", "kernel")
        device.update(bad)
        device.reboot()
        device.expect("ostree: try 1, limit 2\n")
        device.expect("ostree: the kernel could not be started")
        device.fall_back("A", bad)

        # An init that hangs, which no count would notice: the ramdisk has started a watchdog.
        bad = vendor.publish("hangs", "hang")
        device.update(bad, "--karg=ostree.watchdog=20")
        device.reboot()
        for number in (1, 2):
            device.fail(number, "softdog: Initiating system reboot")
        device.fall_back("A", bad)

        # A system that is up and not well.
        bad = vendor.publish("sick", "health")
        device.update(bad)
        device.reboot()
        for number in (1, 2):
            device.expect(rf"ostree: try {number}, limit 2\n")
            device.wait_until_up("sick")
            out = device.run("ostree admin health-check 2>&1", status=1)
            assert "never well" in out
            assert "Health check failed: 10-never" in out
            device.reboot()
        device.fall_back("A", bad)

        # And a good one, with a watchdog that the system stops.
        device.update(vendor.publish("B"), "--karg=ostree.watchdog=300")
        device.reboot()
        device.wait_until_up("B")
        assert "The watchdog of the start is stopped" in device.accept()
        assert device.run("ostree admin status").count("Failed to start: ") == 3
