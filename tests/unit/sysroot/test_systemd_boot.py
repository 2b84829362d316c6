"""What is copied to the EFI system partition for systemd-boot."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.formats.sysroot_config import SysrootConfig
from ostree.sysroot.boot_config import boot_link_of
from ostree.sysroot.boot_counts import BootCounts
from ostree.sysroot.bootloaders.systemd_boot import SystemdBoot
from ostree.sysroot.settings import SysrootSettings
from support.bootloaders import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from unit.sysroot.conftest import Lab as SysrootLab


class Copies(Place):
    """A sysroot with a mounted EFI system partition, and kernels of three deployments."""

    def __init__(self, directory: Path, place: str = "boot/efi") -> None:
        super().__init__(directory)
        self.partition = self.root / place
        (self.partition / "loader/entries").mkdir(parents=True)
        (self.partition / "loader/loader.conf").write_text("timeout 3\n")
        for index in range(3):
            kernel = self.root / f"boot/ostree/os-{index}"
            kernel.mkdir()
            (kernel / "vmlinuz").write_text(f"kernel {index}")
            (kernel / "initramfs.img").write_text(f"ramdisk {index}")

    def systemd_boot(self, tries: int = 3) -> SystemdBoot:
        settings = SysrootSettings(environ=self.environ)
        return SystemdBoot(SysrootConfig(tries=tries), settings, self.root_fd)

    def switch(self, bootversion: int, *indexes: int) -> None:
        deployments = [self.deployment(index, bootversion) for index in indexes]
        loader = self.systemd_boot()
        loader.write_config(bootversion, deployments)
        self.swap(bootversion)
        loader.after_swap(bootversion, deployments)

    def entries(self) -> list[str]:
        return sorted(os.listdir(self.partition / "loader/entries"))

    def kernels(self) -> list[str]:
        found = (self.partition / "ostree").rglob("*")
        return sorted(str(p.relative_to(self.partition)) for p in found if p.is_file())


def changes(directory: Path) -> dict[Path, tuple[int, int]]:
    return {p: (p.stat().st_ino, p.stat().st_ctime_ns) for p in directory.rglob("*")}


def files_of(*indexes: int) -> list[str]:
    names = ("initramfs.img", "vmlinuz")
    return [f"ostree/os-{index}/{name}" for index in sorted(indexes) for name in names]


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[Copies]:
    copies = Copies(tmp_path)
    yield copies
    os.close(copies.root_fd)


def test_kernels_come_before_the_swap_and_entries_after_it(copies: Copies) -> None:
    deployments = [copies.deployment(0), copies.deployment(1)]

    copies.systemd_boot().write_config(1, deployments)

    assert copies.kernels() == files_of(0, 1)
    assert (copies.partition / "ostree/os-1/vmlinuz").read_text() == "kernel 1"
    assert copies.entries() == []

    copies.swap()
    copies.systemd_boot().after_swap(1, deployments)

    assert copies.entries() == ["ostree-1-1+3.conf", "ostree-1-2+3.conf"]
    text = (copies.partition / "loader/entries/ostree-1-2+3.conf").read_text()
    assert text == deployments[0].entry.to_text()


def test_an_update_removes_what_nothing_refers_to(copies: Copies) -> None:
    copies.switch(1, 1, 0)
    copies.switch(0, 2, 1)

    assert copies.entries() == ["ostree-2-1+3.conf", "ostree-2-2+3.conf"]
    assert copies.kernels() == files_of(1, 2)


def test_nothing_is_written_where_all_is_there(copies: Copies) -> None:
    copies.switch(1, 0)
    (copies.partition / "loader/entries/ostree-1-1+3.conf").rename(
        copies.partition / "loader/entries/ostree-1-1.conf"
    )
    before = changes(copies.partition)

    copies.systemd_boot().after_swap(1, [copies.deployment(0)])

    assert changes(copies.partition) == before


def test_a_good_deployment_is_not_counted(copies: Copies) -> None:
    deployment = copies.deployment(0)
    deployment.entry.counters = (0, 0)

    copies.systemd_boot().after_swap(1, [deployment])

    assert copies.entries() == ["ostree-1-1.conf"]


def test_paths_with_a_prefix_lead_to_the_same_files(copies: Copies) -> None:
    deployment = copies.deployment(0)
    entry = deployment.entry
    for key in ("linux", "initrd"):
        entry.set(key, f"/boot{entry.get(key)}")

    copies.systemd_boot().after_swap(1, [deployment])

    assert copies.kernels() == files_of(0)
    text = (copies.partition / "loader/entries/ostree-1-1+3.conf").read_text()
    assert "linux /ostree/os-0/vmlinuz\n" in text
    assert entry.get("linux") == "/boot/ostree/os-0/vmlinuz"


def test_overlays_and_device_trees_come_along(copies: Copies) -> None:
    overlay, tree = "/ostree/initramfs-overlays/o.img", "/ostree/os-0/devicetree"
    for path in (overlay, tree):
        (copies.root / f"boot{path}").parent.mkdir(exist_ok=True)
        (copies.root / f"boot{path}").write_text(path)
    deployment = copies.deployment(0)
    deployment.entry.overlay_initrds = [overlay]
    deployment.entry.set("devicetree", tree)

    copies.systemd_boot().after_swap(1, [deployment])

    assert {overlay[1:], tree[1:]} < set(copies.kernels())
    copies.switch(0, 1)
    assert copies.kernels() == files_of(1)


def test_what_belongs_to_others_stays(copies: Copies) -> None:
    others = {
        "loader/entries/arch.conf": "linux /vmlinuz-linux\n",
        "loader/entries/odd.conf": "linux /ostree/../EFI/x\n",
        "loader/entries/shared.conf": "linux /ostree/arch/vmlinuz\n",
        "EFI/Microsoft/boot.efi": "x",
        "ostree/arch/vmlinuz": "x",
        "vmlinuz-linux": "x",
    }
    for name, text in others.items():
        (copies.partition / name).parent.mkdir(parents=True, exist_ok=True)
        (copies.partition / name).write_text(text)

    copies.switch(1, 0)
    copies.switch(0, 1)

    for name, text in others.items():
        assert (copies.partition / name).read_text() == text
    assert copies.kernels() == ["ostree/arch/vmlinuz", *files_of(1)]


def test_what_a_crash_left_is_removed(copies: Copies) -> None:
    copies.switch(1, 0)
    (copies.partition / "ostree/os-0/vmlinuz.new").write_text("half")
    (copies.partition / "ostree/os-9").mkdir()
    (copies.partition / "ostree/os-9/vmlinuz").write_text("of nobody")
    (copies.partition / "loader/entries/ostree-2-1.conf.new").write_text("half")

    copies.switch(0, 1)

    assert copies.kernels() == files_of(1)
    assert copies.entries() == ["ostree-2-1+3.conf"]


def test_a_partition_that_is_not_mounted_is_an_error(copies: Copies) -> None:
    (copies.partition / "loader/loader.conf").unlink()

    for act in (copies.systemd_boot().write_config, copies.systemd_boot().after_swap):
        with pytest.raises(SysrootError, match=r"no loader/loader\.conf in /boot/efi") as caught:
            act(1, [copies.deployment(0)])
        assert "has to be mounted there" in (caught.value.hint or "")
    assert not copies.systemd_boot().is_active()


def test_it_is_found_at_efi_as_well(tmp_path: Path) -> None:
    copies = Copies(tmp_path, "efi")

    copies.switch(1, 0)

    assert copies.systemd_boot().is_active()
    assert copies.entries() == ["ostree-1-1+3.conf"]
    os.close(copies.root_fd)


@pytest.mark.parametrize(
    "path", ["/ostree/../secret", "/etc/passwd", "/ostree/a/b/c", "ostree/a/b"]
)
def test_an_entry_that_leads_elsewhere_is_refused(copies: Copies, path: str) -> None:
    deployment = copies.deployment(0)
    deployment.entry.set("initrd", path)

    with pytest.raises(SysrootError, match="Boot entry refers to"):
        copies.systemd_boot().write_config(1, [deployment])

    assert copies.kernels() == []


def test_a_missing_kernel_is_an_error(copies: Copies) -> None:
    (copies.root / "boot/ostree/os-0/vmlinuz").unlink()

    with pytest.raises(OSError, match="No such file"):
        copies.systemd_boot().write_config(1, [copies.deployment(0)])

    assert copies.entries() == []


@pytest.fixture
def device(lab: SysrootLab) -> SysrootLab:
    """A sysroot that is configured for systemd-boot, with the partition mounted."""
    (lab.root / "boot/efi/loader").mkdir(parents=True)
    (lab.root / "boot/efi/loader/loader.conf").touch()
    with lab.open() as sysroot:
        keyfile = sysroot.repo.config.keyfile.copy()
        keyfile.set_string("sysroot", "bootloader", "systemd-boot")
        keyfile.set_string("sysroot", "boot-counting-tries", "2")
        sysroot.repo.save_config(keyfile)
    return lab


def names(device: SysrootLab, place: str = "boot/efi/loader/entries") -> list[str]:
    return sorted(os.listdir(device.root / place))


def update(device: SysrootLab, text: str, *, kernel: bool = False) -> None:
    device.write("usr/file", text)
    if kernel:
        device.write("usr/lib/modules/5.1/vmlinuz", text)
    device.commit(time=1000 + ord(text))
    with device.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")


def accept(device: SysrootLab, index: int) -> None:
    """What a health check does on the running deployment with an index."""
    with device.open() as sysroot:
        link = boot_link_of(sysroot.deployments[index].entry)
    assert BootCounts(str(device.root), os.makedev(0, 33), str(device.run)).accept(link)


@pytest.mark.root
def test_an_update_with_the_same_kernel_has_its_tries(device: SysrootLab) -> None:
    """Upstream would only change bootlinks, and leave the entry of the deployment before."""
    update(device, "a")
    accept(device, 0)
    update(device, "b")
    accept(device, 0)
    assert names(device) == ["ostree-2-1.conf", "ostree-2-2.conf"]
    assert names(device, "boot/loader/entries") == ["ostree-1.conf", "ostree-2.conf"]

    update(device, "c")

    assert names(device) == ["ostree-3-1.conf", "ostree-3-2+2.conf"]


@pytest.mark.root
def test_what_is_undeployed_goes_with_its_kernel(device: SysrootLab) -> None:
    update(device, "a")
    update(device, "b", kernel=True)
    assert len(names(device, "boot/efi/ostree")) == 2

    with device.open() as sysroot:
        sysroot.undeploy(0)

    assert len(names(device)) == len(names(device, "boot/efi/ostree")) == 1


@pytest.mark.root
def test_a_partition_that_is_gone_stops_every_change(device: SysrootLab) -> None:
    """Else the machine would go on with what has been removed."""
    update(device, "a")
    (device.root / "boot/efi/loader/loader.conf").unlink()
    before = names(device, "boot/loader/entries")

    with pytest.raises(SysrootError, match=r"There is no loader/loader\.conf"):
        update(device, "b")
    with device.open() as sysroot, pytest.raises(SysrootError, match="There is no loader/"):
        sysroot.clean_up()

    assert names(device, "boot/loader/entries") == before
