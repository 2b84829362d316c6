"""The FAT partition that the firmware reads, where boot loaders keep what they count.

It is mounted somewhere, or else for a moment.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from ostree.sysroot.step import step
from ostree.system import mounting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Where systems mount the partition of the firmware.
PLACES = ("boot/firmware", "boot/efi", "efi", "firmware")

_SECTOR = 512


def visit_partitions(
    root: str, device: int, run_directory: str, visitor: Callable[[str], bool]
) -> bool:
    """Show a function what is mounted at the usual places, then the FAT partitions of the root's disk.

    Args:
        root: The root directory of the system.
        device: The device of the physical root.
        run_directory: Where a directory for a mount can be made.
        visitor: Gets a directory; says whether it has found there what it looks for, which ends it.

    Returns:
        Whether it has.

    Raises:
        SysrootError: one cannot be mounted.
    """
    for place in PLACES:
        directory = os.path.join(root, place)
        if os.path.isdir(directory) and visitor(directory):
            return True
    for partition in fat_partitions(device):
        with mounted(partition, f"{run_directory}/ostree/firmware") as place:
            if visitor(place):
                return True
    return False


def fat_partitions(
    device: int, sys_directory: str = "/sys", dev_directory: str = "/dev"
) -> list[str]:
    """The partitions with FAT on the disk that a file system is on, in their order.

    Args:
        device: The number of the file system's device.
        sys_directory: Where the kernel tells of devices.
        dev_directory: Where the devices are.
    """
    here = f"{sys_directory}/dev/block/{os.major(device)}:{os.minor(device)}"
    disk = os.path.dirname(os.path.realpath(here))
    found = []
    with suppress(FileNotFoundError):
        for name in os.listdir(disk):
            try:
                with open(f"{disk}/{name}/partition", encoding="ascii") as file:
                    number = int(file.read())
            except (FileNotFoundError, NotADirectoryError):
                continue
            if _is_fat(f"{dev_directory}/{name}"):
                found.append((number, f"{dev_directory}/{name}"))
    return [path for _, path in sorted(found)]


def _is_fat(device: str) -> bool:
    try:
        with open(device, "rb") as file:
            sector = file.read(_SECTOR)
    except OSError:
        return False
    kinds = (sector[54:62], sector[82:90])
    return sector[510:] == b"\x55\xaa" and any(kind.startswith(b"FAT") for kind in kinds)


@contextmanager
def mounted(device: str, place: str) -> Iterator[str]:
    """A FAT file system at a place for the length of a ``with`` block, for this program only.

    Raises:
        SysrootError: it cannot be mounted.
    """
    with step(f"Mounting {device}"):
        # A unit may have mounts of its own, and nobody else in them: they would go with us, and what
        # is open of the sysroot would be left without what is mounted below it.
        before = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        mounting.unshare_mounts()
        mounting.mount(None, "/", flags=mounting.RECURSIVE | mounting.SLAVE)
        os.makedirs(place, exist_ok=True)
        mounting.mount(device, place, "vfat")
    try:
        yield place
    finally:
        with step(f"Unmounting {device}"):
            mounting.unmount(place)
            with suppress(OSError):
                os.rmdir(place)
            mounting.enter_namespace(f"/proc/self/fd/{before}")
            os.close(before)
