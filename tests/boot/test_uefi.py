"""UEFI: the boot loader counts the tries, and the device comes back from a bad release by itself.

The disk is made by ``ostree image build``, as the maker of a device would.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from boot.device import Device
from boot.machine import AMD64, Machine
from boot.server import serving
from boot.small_system import owned_by_root
from boot.vendor import REPOSITORY, Vendor

if TYPE_CHECKING:
    from boot.machine import Architecture
    from boot.steps import Steps

PANIC = "Kernel panic - not syncing"
OVMF = "/usr/share/ovmf/OVMF.fd"
GRUB = "/usr/lib/grub/x86_64-efi"
SYSTEMD_BOOT = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"
ENTRIES = "/boot/efi/loader/entries"
OPTIONS = (
    f"--remote=local_repo=http://10.0.2.100/{REPOSITORY}",
    "--no-gpg-verify",
    "--tries=2",
    # On a machine that is busy the emulated timer is late, and the kernel takes it for broken.
    "--kargs=no_timer_check",
)

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not Path(OVMF).exists(), reason="no UEFI (Debian: ovmf)"),
]


def uefi() -> Architecture:
    return AMD64._replace(firmware=OVMF)


@pytest.mark.parametrize("separate_boot", [False, True], ids=["single", "boot-partition"])
@pytest.mark.skipif(not Path(GRUB).exists(), reason="no GRUB (Debian: grub-efi-amd64-bin)")
def test_grub_counts_and_goes_back(
    work: Path, logs: Path, ostree: str, separate_boot: bool, steps: Steps
) -> None:
    owned_by_root()
    directory = work / f"grub-{separate_boot}"
    directory.mkdir()
    vendor = Vendor(directory, ostree, uefi(), separate_boot=separate_boot, steps=steps)
    commit = vendor.publish("A")
    disk = vendor.make_disk("grub2", *OPTIONS)
    with (
        serving(ostree, vendor.served) as port,
        Machine(uefi(), disk, logs / "console.log", server_port=port) as machine,
    ):
        device = Device(machine, steps)
        device.wait_until_up("A")
        device.check_root(commit)
        device.accept()

        # A release that never comes up: two tries, then the one before.
        bad = vendor.publish("C", "init")
        device.update(bad)
        device.reboot()
        for number in (1, 2):
            device.fail(number, PANIC)
        device.expect("ostree: try 3, limit 2\n")
        device.fall_back("A", bad)
        assert f"Commit {bad} did not start" in device.run("ostree admin upgrade")
        device.reboot()
        device.wait_until_up("A")
        assert "ostree.fallback" not in device.run("cat /proc/cmdline")
        device.accept()

        # What is no kernel is not even started: the other one is, at once.
        bad = vendor.publish("no-kernel", "no-kernel")
        device.update(bad)
        device.reboot()
        device.expect("ostree: try 1, limit 2\n")
        device.wait_until_up("A")
        assert " ostree.fallback=1" in device.run("cat /proc/cmdline")
        device.put_away(bad)

        # And a good one.
        good = vendor.publish("D")
        device.run("ostree admin upgrade")
        device.reboot()
        device.wait_until_up("D")
        device.accept()
        status = device.run("ostree admin status")
        assert f"* small {good}" in status
        assert status.count("Failed to start: ") == 2


@pytest.mark.parametrize("separate_boot", [False, True], ids=["single", "boot-partition"])
@pytest.mark.skipif(not Path(SYSTEMD_BOOT).exists(), reason="no systemd-boot-efi")
def test_systemd_boot_counts_and_goes_back(
    work: Path, logs: Path, ostree: str, separate_boot: bool, steps: Steps
) -> None:
    owned_by_root()
    directory = work / f"systemd-{separate_boot}"
    directory.mkdir()
    vendor = Vendor(directory, ostree, uefi(), separate_boot=separate_boot, steps=steps)
    commit = vendor.publish("A")
    disk = vendor.make_disk("systemd-boot", *OPTIONS)
    with (
        serving(ostree, vendor.served) as port,
        Machine(uefi(), disk, logs / "console.log", server_port=port) as machine,
    ):
        device = Device(machine, steps)
        device.wait_until_up("A")
        device.check_root(commit)
        assert device.run(f"ls -1 {ENTRIES}") == "ostree-1-1+1-1.conf"
        device.accept()
        assert device.run(f"ls -1 {ENTRIES}") == "ostree-1-1.conf"

        # A release that never comes up: two tries, then the one before.
        bad = vendor.publish("C", "init")
        device.update(bad)
        assert device.run(f"ls -1 {ENTRIES}") == "ostree-2-1.conf\nostree-2-2+2.conf"
        device.reboot()
        for _ in range(2):
            device.expect(PANIC)
            machine.after_reset(200)
        device.wait_until_up("A")
        assert device.run(f"ls -1 {ENTRIES}") == "ostree-2-1.conf\nostree-2-2+0-2.conf"
        device.put_away(bad)
        assert f"Commit {bad} did not start" in device.run("ostree admin upgrade")
        assert device.run(f"ls -1 {ENTRIES}") == "ostree-3-1.conf"
        device.reboot()
        device.wait_until_up("A")
        device.accept()

        # And a good one.
        good = vendor.publish("D")
        device.run("ostree admin upgrade")
        device.reboot()
        device.wait_until_up("D")
        device.accept()
        assert device.run(f"ls -1 {ENTRIES}") == "ostree-4-1.conf\nostree-4-2.conf"
        status = device.run("ostree admin status")
        assert f"* small {good}" in status
        assert status.count("Failed to start: ") == 1
