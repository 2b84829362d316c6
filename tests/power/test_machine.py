"""The worst moment, in a machine that U-Boot starts: the power goes as soon as ``deploy`` returns.

U-Boot replays no journal.  Whatever it sees then is the old release or the new one, whole, and from
either the update is brought to its end.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from boot.device import Device
from boot.machine import AMD64, Machine
from boot.server import serving
from boot.small_system import UP, owned_by_root
from boot.vendor import REF, Vendor

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CUTS = 20


def test_the_power_goes_when_deploy_returns(
    work: Path, logs: Path, ostree: str, capsys: pytest.CaptureFixture[str]
) -> None:
    owned_by_root()
    vendor = Vendor(work, ostree, AMD64, separate_boot=True)
    running = vendor.publish("A")
    published = {"A": running}
    disk = vendor.make_disk()
    published["B"] = vendor.publish("B")
    came_up: Counter[str] = Counter()
    with (
        serving(ostree, vendor.served) as port,
        Machine(AMD64, disk, logs / "console.log", server_port=port) as machine,
    ):
        device = Device(machine)
        device.wait_until_up("A")
        device.accept()
        device.add_remote()
        device.run("echo changed >/etc/local.conf; echo kept >/var/data; sync")

        for number in range(CUTS):
            new = "BA"[number % 2]
            commit = vendor.publish_again(new, published[new])
            device.run(f"ostree pull local_repo:{REF}")
            device.run(f"ostree admin deploy local_repo:{REF}")
            machine.power_on()  # That is: kill it first.
            version = machine.console.expect(UP, 300)[1]
            device.expect_shell()
            came_up["new" if version == new else "old"] += 1
            with capsys.disabled():
                print(f"\ncut {number + 1}, in the update to {new}: {version} came up", end="")
            if version != new:
                device.check_root(running)
                device.update(commit)
                device.reboot()
                device.wait_until_up(new)
            device.check_root(commit)
            device.accept()
            assert device.run("cat /etc/local.conf /var/data") == "changed\nkept"
            running = commit

        device.run("ostree fsck", timeout=600)
    with capsys.disabled():
        print(f"\n{CUTS} power cuts; the release that came up: {dict(came_up)}")
    assert came_up.total() == CUTS
