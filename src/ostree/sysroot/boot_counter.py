"""The count of tries that the boot loader keeps, set back by a system that is up.

U-Boot's script keeps it in ``bootstate.env`` on the FAT partition that it comes from, which is
mounted somewhere, or else for a moment.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from ostree.formats import boot_state
from ostree.sysroot.step import step
from ostree.system import files, mounting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_FILE = "bootstate.env"

#: Where systems mount the partition of the firmware.
PLACES = ("boot/firmware", "boot/efi", "efi", "firmware")

_SECTOR = 512


def reset_counter(directory: str) -> bool:
    """Set the count back to 0 in a directory; whether there is one.

    Nothing is written if it is 0 already, which spares the flash.

    Raises:
        SysrootError: it cannot be read or written.
    """
    with step(f"Setting back the count of boots in {directory}"):
        fd = files.open_directory(directory)
        try:
            data = files.read_file(STATE_FILE, fd, limit=boot_state.MAX_SIZE)
            if boot_state.read_tries(data):
                _replace(fd, boot_state.reset_tries(data))
        except FileNotFoundError:
            return False
        finally:
            os.close(fd)
    return True


def _replace(fd: int, data: bytes) -> None:
    """FAT has no permissions to be set and no unnamed files; the rename is all there is."""
    temporary = f"{STATE_FILE}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    file = os.open(temporary, flags, 0o644, dir_fd=fd)
    try:
        files.write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(temporary, STATE_FILE, src_dir_fd=fd, dst_dir_fd=fd)
    os.fsync(fd)


def find_mounted(root: str) -> str | None:
    """The directory with U-Boot's state where it is mounted already."""
    for place in PLACES:
        directory = os.path.join(root, place)
        if os.path.exists(os.path.join(directory, STATE_FILE)):
            return directory
    return None


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


def reset_anywhere(root: str, device: int, run_directory: str) -> bool:
    """Set the count back where it is mounted, or on the root's disk; whether there is one.

    Args:
        root: The root directory of the system.
        device: The device of the physical root.
        run_directory: Where a directory for a mount can be made.

    Raises:
        SysrootError: it cannot be read or written.
    """
    directory = find_mounted(root)
    if directory is not None:
        return reset_counter(directory)
    for partition in fat_partitions(device):
        with mounted(partition, f"{run_directory}/ostree/firmware") as place:
            if reset_counter(place):
                return True
    return False
