"""Finding the partition where boot loaders count, and looking at it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ostree.sysroot.firmware_partition import fat_partitions, visit_partitions
from support.simulated_boot import why_not

if TYPE_CHECKING:
    from pathlib import Path

NO_DISK = os.makedev(0, 33)


def test_the_usual_places_are_visited_until_something_is_found(tmp_path: Path) -> None:
    for place in ("boot/firmware", "efi", "firmware"):
        (tmp_path / place).mkdir(parents=True)
    visited = []

    def look(directory: str) -> bool:
        visited.append(directory)
        return directory.endswith("/efi")

    assert visit_partitions(str(tmp_path), NO_DISK, str(tmp_path), look)
    assert visited == [f"{tmp_path}/boot/firmware", f"{tmp_path}/efi"]
    assert not visit_partitions(str(tmp_path), NO_DISK, str(tmp_path), lambda _: False)


def test_fat_partitions_of_the_roots_disk_are_found(tmp_path: Path) -> None:
    """By their first sector, in the order of their numbers."""
    disk = tmp_path / "sys/devices/virtio/vda"
    (tmp_path / "sys/dev/block").mkdir(parents=True)
    (tmp_path / "sys/dev/block/254:2").symlink_to("../../devices/virtio/vda/vda2")
    (tmp_path / "dev").mkdir()
    sectors = {
        "vda10": bytes(54) + b"FAT16   " + bytes(448) + b"\x55\xaa",
        "vda2": bytes(512),
        "vda3": bytes(82) + b"FAT32   " + bytes(420) + b"\x55\xaa",
        "vda4": bytes(54) + b"FAT16   " + bytes(450),
    }
    for name, sector in sectors.items():
        (disk / name).mkdir(parents=True)
        (disk / name / "partition").write_text(name.removeprefix("vda") + "\n")
        (tmp_path / "dev" / name).write_bytes(sector)
    (disk / "queue").mkdir()
    (disk / "size").touch()

    found = fat_partitions(os.makedev(254, 2), f"{tmp_path}/sys", f"{tmp_path}/dev")

    assert found == [f"{tmp_path}/dev/vda3", f"{tmp_path}/dev/vda10"]


def test_a_root_without_a_disk_has_no_partitions(tmp_path: Path) -> None:
    assert fat_partitions(os.makedev(0, 33), str(tmp_path), str(tmp_path)) == []


_ALONE = """
import os, sys
from ostree.sysroot import firmware_partition
from ostree.system import mounting

place = sys.argv[1]
mounting.mount("tmpfs", f"{place}/root/below", "tmpfs")
open(f"{place}/root/below/file", "w").close()
root = os.open(f"{place}/root", os.O_RDONLY)
real = mounting.mount
mounting.mount = lambda source, target, kind=None, flags=0: real(
    source, target, "tmpfs" if kind == "vfat" else kind, flags
)
with firmware_partition.mounted("tmpfs", f"{place}/firmware") as firmware:
    assert os.path.ismount(firmware)
os.stat("below/file", dir_fd=root)
print("there")
"""


@pytest.mark.root
@pytest.mark.skipif(why_not() is not None, reason=why_not() or "")
def test_mounts_that_only_we_are_in_survive(tmp_path: Path) -> None:
    """As a unit's with MountFlags: the sysroot that is open then still has what is below it."""
    (tmp_path / "root" / "below").mkdir(parents=True)
    command = ["unshare", "--mount", "--propagation", "slave", sys.executable, "-c", _ALONE]

    result = subprocess.run([*command, tmp_path], check=False, capture_output=True, text=True)

    assert (result.stdout, result.stderr) == ("there\n", "")
