"""Ramdisks that a distribution's own tools build, with our ``ostree-prepare-root`` in them."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from boot.direct import check, deploy
from boot.machine import AMD64, DirectBoot, Machine
from boot.packages import fetched
from boot.small_system import Release, SmallSystem, owned_by_root

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.full

PACKAGES = "dracut-core,initramfs-tools,systemd,systemd-sysv,udev,kmod,busybox-static,zstd,cpio"

#: dracut has systemd in its ramdisk unless that is left out, initramfs-tools has not.
BUILD = """
set -e
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount --bind /dev "$1/dev"
chroot "$1" env PATH=/usr/sbin:/usr/bin sh -ec '
    depmod "$1"
    for omitted in "" systemd; do
        dracut --force --kver "$1" --no-hostonly --no-compress --add ostree \\
            --omit "$omitted" "/boot/dracut${omitted:+-without-$omitted}.img"
    done
    printf "%s\\n" virtio_pci virtio_blk ext4 >>/etc/initramfs-tools/modules
    mkinitramfs -o /boot/initramfs-tools.img "$1"
' sh "$2"
"""


@pytest.fixture(scope="module")
def debian(work: Path, ostree: str) -> Path:
    """A Debian that has built the ramdisks, in ``boot``."""
    owned_by_root()
    if not shutil.which("mmdebstrap"):
        pytest.skip("mmdebstrap (Debian: mmdebstrap) is not installed")
    debian = work / "debian"
    bootstrap = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}"]
    done = subprocess.run(
        [*bootstrap, "bookworm", str(debian)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"Debian cannot be installed: {done.stderr[-300:]}")
    kernel = fetched(AMD64) / "kernel"
    shutil.copytree(kernel / "lib/modules", debian / "usr/lib/modules")
    shutil.copytree(kernel / "boot", debian / "boot", dirs_exist_ok=True)
    for kind in ("dracut", "initramfs-tools"):
        install = [ostree, "ramdisk", "install", f"--root={debian}", kind]
        subprocess.run(install, check=True, capture_output=True)
    (version,) = os.listdir(debian / "usr/lib/modules")
    build = ["unshare", "--mount", "--propagation", "private", "sh", "-c", BUILD, "sh"]
    subprocess.run([*build, str(debian), version], check=True, capture_output=True)
    return debian


@pytest.fixture(scope="module")
def arguments(work: Path, ostree: str) -> tuple[SmallSystem, str]:
    """A system, and the kernel's command line for its deployment in ``A.img``."""
    system = SmallSystem(AMD64, work, ostree)
    return system, deploy(work, ostree, system, Release("A"), "uuid")


@pytest.mark.parametrize("name", ["dracut", "dracut-without-systemd", "initramfs-tools"])
def test_a_deployment_is_started(
    work: Path, logs: Path, debian: Path, arguments: tuple[SmallSystem, str], name: str
) -> None:
    system, line = arguments
    direct = DirectBoot(system.kernel, line, debian / f"boot/{name}.img")
    log = logs / "console.log"
    with Machine(AMD64, work / "A.img", log, direct=direct, memory=1024) as machine:
        check(machine, "A")
