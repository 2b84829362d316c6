"""Releases that are bad in every way, and how a device comes back from each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boot.device import Device
    from boot.vendor import Vendor

#: What a machine says at the end of a try, by what is broken.
_SIGNS = {
    "ramdisk": r"ramdisk: broken on purpose[\s\S]*?Kernel panic - not syncing",
    "init": r"init: broken on purpose[\s\S]*?Kernel panic - not syncing",
    "kernel": r"Kernel panic - not syncing: VFS: Unable to mount root fs",
    "hang": r"softdog: Initiating system reboot",
}
#: An init that hangs would be noticed by no count of tries: the ramdisk starts a watchdog.
_OPTIONS = {"hang": ("--karg=ostree.watchdog=15",)}
_TRIES = (1, 2)


def come_back(device: Device, vendor: Vendor, broken: str, version: str) -> str:
    """Update a device to a bad release, and watch it come back to the one that runs.

    Args:
        device: It runs a good release.
        vendor: Its maker.
        broken: What is broken, as for :class:`~boot.small_system.Release`.
        version: Of the release that runs.

    Returns:
        The checksum of the bad release.
    """
    bad = vendor.publish(f"bad-{broken}", broken)
    device.update(bad, *_OPTIONS.get(broken, ()))
    device.reboot()
    if broken == "no-kernel":
        # What is none is not even started: the other one is, at once.
        device.expect("ostree: try 1, limit 2\n")
        device.expect("ostree: the kernel could not be started")
    elif broken == "health":
        _be_unwell(device)
    else:
        for number in _TRIES:
            device.fail(number, _SIGNS[broken])
    device.fall_back(version, bad)
    # It is not taken again, though it is what the server offers.
    assert f"Commit {bad} did not start" in device.run("ostree admin upgrade", timeout=300)
    return bad


def _be_unwell(device: Device) -> None:
    """A system that is up and not well."""
    for number in _TRIES:
        device.expect(rf"ostree: try {number}, limit 2\n")
        device.wait_until_up("bad-health")
        out = device.run("ostree admin health-check 2>&1", status=1)
        assert "never well" in out
        assert "Health check failed: 10-never" in out
        device.reboot()
