"""Where the boot loader's count of tries is, and setting it back."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.sysroot.boot_counter import fat_partitions, find_mounted, reset_counter
from support.simulated_boot import why_not

if TYPE_CHECKING:
    from pathlib import Path


def test_the_count_is_set_back(tmp_path: Path) -> None:
    state = tmp_path / "bootstate.env"
    state.write_bytes(b"bootcount=2\n" + bytes(4084))

    assert reset_counter(str(tmp_path))

    assert state.read_bytes() == b"bootcount=0\n"
    assert os.listdir(tmp_path) == ["bootstate.env"]


def test_a_count_of_0_is_not_written(tmp_path: Path) -> None:
    state = tmp_path / "bootstate.env"
    state.write_bytes(b"bootcount=0\n")
    before = state.stat()

    assert reset_counter(str(tmp_path))

    assert (state.stat().st_ino, state.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "bootstate.env").write_bytes(b"bootcount=2\n")
    (tmp_path / "bootstate.env.new").write_bytes(b"something that is longer than it\n")

    assert reset_counter(str(tmp_path))

    assert (tmp_path / "bootstate.env").read_bytes() == b"bootcount=0\n"


def test_no_state_is_no_error(tmp_path: Path) -> None:
    assert not reset_counter(str(tmp_path))
    assert find_mounted(str(tmp_path)) is None


def test_a_state_that_is_too_large_is_none(tmp_path: Path) -> None:
    (tmp_path / "bootstate.env").write_bytes(bytes(1 << 17))

    with pytest.raises(SysrootError, match="Setting back the count of boots"):
        reset_counter(str(tmp_path))


@pytest.mark.parametrize("place", ["boot/firmware", "efi"])
def test_a_mounted_state_is_found(tmp_path: Path, place: str) -> None:
    directory = tmp_path / place
    directory.mkdir(parents=True)
    (directory / "bootstate.env").touch()

    assert find_mounted(str(tmp_path)) == str(directory)


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
from ostree.sysroot import boot_counter
from ostree.system import mounting

place = sys.argv[1]
mounting.mount("tmpfs", f"{place}/root/below", "tmpfs")
open(f"{place}/root/below/file", "w").close()
root = os.open(f"{place}/root", os.O_RDONLY)
real = mounting.mount
mounting.mount = lambda source, target, kind=None, flags=0: real(
    source, target, "tmpfs" if kind == "vfat" else kind, flags
)
with boot_counter.mounted("tmpfs", f"{place}/firmware") as firmware:
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
