"""What a new boot configuration consists of, decided without a disk."""

from __future__ import annotations

from ostree.formats.boot_entry import BootEntry
from ostree.formats.sysroot_config import SysrootConfig
from ostree.sysroot.boot_plan import BootFacts, plan_full_swap, plan_sub_swap
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.deployment_list import SwapKind, place
from ostree.sysroot.kernel import KernelFile, KernelLayout
from ostree.types import Checksum

BOOTCSUM = "b" * 64
LAYOUT = KernelLayout(
    kernel=KernelFile("usr/lib/modules/6/vmlinuz", "vmlinuz-6"),
    initramfs=KernelFile("usr/lib/modules/6/initramfs.img", "initramfs-6.img"),
)
FACTS = BootFacts(LAYOUT, {"PRETTY_NAME": "Os"}, "7")


def deployment(letter: str, *, stateroot: str = "os", options: str = "") -> Deployment:
    entry = BootEntry()
    if options:
        entry.set("options", options)
    return Deployment(
        stateroot=stateroot,
        checksum=Checksum(letter * 64),
        serial=0,
        bootcsum=BOOTCSUM,
        entry=entry,
    )


def test_a_sub_swap_is_links_only() -> None:
    listed = place([deployment("a"), deployment("c")])

    plan = plan_sub_swap(listed, bootversion=1, subbootversion=0)

    assert plan.kind is SwapKind.SUB
    assert (plan.bootversion, plan.subbootversion, plan.farm) == (1, 1, "ostree/boot.1.1")
    assert plan.bootlinks == (
        (f"ostree/boot.1.1/os/{BOOTCSUM}/0", f"../../../deploy/os/deploy/{'a' * 64}.0"),
        (f"ostree/boot.1.1/os/{BOOTCSUM}/1", f"../../../deploy/os/deploy/{'c' * 64}.0"),
    )
    assert (plan.kernels, plan.entries) == ((), ())


def test_a_full_swap() -> None:
    listed = place([deployment("a", options="quiet"), deployment("c", stateroot="other")])

    plan = plan_full_swap(
        listed, [FACTS, FACTS], bootversion=1, subbootversion=0, config=SysrootConfig()
    )

    assert (plan.bootversion, plan.subbootversion) == (0, 1)
    assert [file.path for file in plan.entries] == [
        "boot/loader.0/entries/ostree-2.conf",
        "boot/loader.0/entries/ostree-1.conf",
    ]
    assert (
        plan.entries[0].data
        == (
            f"title Os 7 (ostree:os:0)\nversion 2\n"
            f"options quiet ostree=/ostree/boot.0/os/{BOOTCSUM}/0\n"
            f"linux /ostree/os-{BOOTCSUM}/vmlinuz-6\n"
            f"initrd /ostree/os-{BOOTCSUM}/initramfs-6.img\n"
        ).encode()
    )
    assert [install.directory for install in plan.kernels] == [
        f"boot/ostree/os-{BOOTCSUM}",
        f"boot/ostree/other-{BOOTCSUM}",
    ]


def test_the_list_that_is_active_keeps_its_entries() -> None:
    listed = place([deployment("a", options="quiet")])

    plan = plan_full_swap(listed, [FACTS], bootversion=0, subbootversion=0, config=SysrootConfig())

    assert listed[0].entry.get("title") is None
    assert plan.deployments[0].entry.get("title") == "Os 7 (ostree:0)"


def test_overlays_need_an_initramfs() -> None:
    facts = BootFacts(KernelLayout(kernel=LAYOUT.kernel), {"ID": "x"}, None)
    one = deployment("a")
    one.entry.overlay_initrds = [f"/ostree/initramfs-overlays/{'e' * 64}.img"]

    plan = plan_full_swap(
        place([one]), [facts], bootversion=0, subbootversion=0, config=SysrootConfig()
    )

    assert plan.deployments[0].entry.overlay_initrds == []
    assert one.entry.overlay_initrds
