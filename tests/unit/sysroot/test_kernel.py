"""Where the kernel of a tree is."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.sysroot.kernel import KernelLayout, boot_checksum, find_kernel
from ostree.sysroot.tree_files import DirectoryFiles

if TYPE_CHECKING:
    from pathlib import Path

CSUM = "ab" * 32


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def find(root: Path) -> tuple[KernelLayout, str]:
    fd = os.open(root, os.O_RDONLY)
    try:
        layout = find_kernel(DirectoryFiles(fd))
        return layout, boot_checksum(DirectoryFiles(fd), layout)
    finally:
        os.close(fd)


def names(layout: KernelLayout) -> dict[str, str]:
    return {file.name: file.source for file in layout.files()}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_modules(tmp_path: Path) -> None:
    base = "usr/lib/modules/5.1"
    for name in ("vmlinuz", "initramfs.img", "devicetree", ".vmlinuz.hmac", "aboot.img"):
        put(tmp_path / base / name, name)
    put(tmp_path / base / "dtb/x", "ignored beside a devicetree")

    layout, checksum = find(tmp_path)

    assert names(layout) == {
        "vmlinuz-5.1": f"{base}/vmlinuz",
        "initramfs-5.1.img": f"{base}/initramfs.img",
        "devicetree-5.1": f"{base}/devicetree",
        ".vmlinuz-5.1.hmac": f"{base}/.vmlinuz.hmac",
        "aboot-5.1.img": f"{base}/aboot.img",
    }
    assert checksum == sha("vmlinuzinitramfs.imgdevicetree")


def test_device_tree_directory_is_hashed_in_the_order_of_names(tmp_path: Path) -> None:
    base = tmp_path / "usr/lib/modules/5.1"
    put(base / "vmlinuz", "K")
    put(base / "dtb/b", "2")
    put(base / "dtb/a/z", "1")
    put(base / "dtb/c", "3")
    (base / "dtb/d").symlink_to("c")
    (base / "dtb/e").symlink_to("nothing")

    layout, checksum = find(tmp_path)

    assert layout.devicetree is not None
    assert layout.devicetree.is_directory
    assert checksum == sha("K1233")


def test_a_kernel_that_is_a_link_is_followed_inside_the_tree(tmp_path: Path) -> None:
    base = tmp_path / "usr/lib/modules/5.1"
    put(tmp_path / "usr/lib/kernel/image", "K")
    base.mkdir(parents=True)
    (base / "vmlinuz").symlink_to("/usr/lib/kernel/image")

    layout, checksum = find(tmp_path)

    assert names(layout) == {"vmlinuz-5.1": "usr/lib/kernel/image"}
    assert checksum == sha("K")


def test_legacy(tmp_path: Path) -> None:
    boot = tmp_path / "usr/lib/ostree-boot"
    put(boot / f"vmlinuz-3.6.0-{CSUM}", "K")
    put(boot / f"initramfs-3.6.0-{CSUM}", "I")
    put(boot / "vmlinuz-without-checksum", "no")

    layout, checksum = find(tmp_path)

    assert names(layout) == {
        "vmlinuz-3.6.0": f"usr/lib/ostree-boot/vmlinuz-3.6.0-{CSUM}",
        "initramfs-3.6.0": f"usr/lib/ostree-boot/initramfs-3.6.0-{CSUM}",
    }
    assert checksum == CSUM


@pytest.mark.parametrize(
    ("modules_initramfs", "legacy_initramfs", "is_legacy"),
    [(True, True, False), (False, False, False), (False, True, True), (True, False, False)],
)
def test_choice_between_both(
    tmp_path: Path, modules_initramfs: bool, legacy_initramfs: bool, is_legacy: bool
) -> None:
    put(tmp_path / "usr/lib/modules/5.1/vmlinuz", "K")
    put(tmp_path / f"boot/vmlinuz-5.1-{CSUM}", "K")
    if modules_initramfs:
        put(tmp_path / "usr/lib/modules/5.1/initramfs.img", "I")
    if legacy_initramfs:
        put(tmp_path / f"boot/initramfs-5.1-{CSUM}", "I")

    layout, _ = find(tmp_path)

    assert layout.kernel.source.startswith("boot/") is is_legacy


def test_only_the_first_legacy_directory_counts(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/ostree-boot").mkdir(parents=True)
    put(tmp_path / f"boot/vmlinuz-5.1-{CSUM}", "K")

    with pytest.raises(SysrootError, match="Failed to find kernel in /usr/lib/modules, "):
        find(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("initramfs", "Mismatched kernel checksum vs initrd"),
        ("devicetree", "Mismatched kernel checksum vs device tree in tree"),
    ],
)
def test_contradicting_names(tmp_path: Path, name: str, message: str) -> None:
    put(tmp_path / f"boot/vmlinuz-5.1-{CSUM}", "K")
    put(tmp_path / f"boot/{name}-5.1-{'cd' * 32}", "I")

    with pytest.raises(SysrootError) as caught:
        find(tmp_path)

    assert str(caught.value) == message


def test_of_several_kernels_the_first_in_the_directory_counts(tmp_path: Path) -> None:
    """As upstream has it; which one that is depends on the file system."""
    for version in ("6.10", "6.2", "6.9"):
        put(tmp_path / f"usr/lib/modules/{version}/vmlinuz", version)
    (tmp_path / "usr/lib/modules/0").mkdir()
    put(tmp_path / "usr/lib/modules/file", "no directory")
    first = next(n for n in os.listdir(tmp_path / "usr/lib/modules") if n[0] == "6")

    layout, checksum = find(tmp_path)

    assert names(layout) == {f"vmlinuz-{first}": f"usr/lib/modules/{first}/vmlinuz"}
    assert checksum == sha(first)
