"""File systems written into a disk image, without mounting anything."""

from __future__ import annotations

import os
import re
import stat

from ostree.formats.disk_partition import SECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.image.layout import Volume
    from ostree.image.tool import Toolbox

_BLOCK = 4096
#: Bytes of a file system for each inode, as mke2fs has it by default.
_BYTES_PER_INODE = 16384
#: Features of newer versions that U-Boot's driver may not know, and their first version.
_NEW_FEATURES = (((1, 47), "^orphan_file"), ((1, 47), "^metadata_csum_seed"))
_VERSION = re.compile(r"mke2fs (\d+)\.(\d+)")
# An inode's flags: extents, and nobody may add or remove names.
_EXTENTS, _IMMUTABLE = 0x80000, 0x10


def write_ext4(tools: Toolbox, image: str, volume: Volume, directory: str) -> None:
    """Make an ext4 file system with all that is in a directory.

    Owners, modes, links, hard links and attributes are kept; attributes that ``chattr`` sets are
    not, nor are nanoseconds.

    Raises:
        ImageError: it does not fit, or the tool failed.
    """
    wanted = count_inodes(directory) * 3
    inodes = max(wanted, volume.size // _BYTES_PER_INODE)
    # The tables are written whole: a device need not do it at its first boot.
    extended = (
        f"offset={volume.offset},lazy_itable_init=0,lazy_journal_init=0,"
        f"root_owner=0:0,hash_seed={volume.uuid}"
    )
    features = _features(tools)
    tools.run(
        "mkfs.ext4",
        *("-q", "-F", "-b", str(_BLOCK), "-L", volume.role.value, "-U", str(volume.uuid)),
        *("-E", extended, "-N", str(inodes)),
        *(("-O", features) if features else ()),
        *("-d", directory, image, f"{volume.size // 1024}k"),
    )


def _features(tools: Toolbox) -> str:
    match = _VERSION.search(tools.run("mkfs.ext4", "-V"))
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    return ",".join(feature for since, feature in _NEW_FEATURES if version >= since)


def count_inodes(directory: str) -> int:
    """How many entries there are below a directory; hard links count as one each."""
    return sum(len(names) + len(files) for _, names, files in os.walk(directory))


def measure(directory: str) -> int:
    """How many bytes a file system needs for what is below a directory, without overhead.

    A file that has several names is stored once.
    """
    seen: set[tuple[int, int]] = set()
    total = _BLOCK
    for path, names, files in os.walk(directory):
        for name in (*names, *files):
            info = os.lstat(os.path.join(path, name))
            if info.st_nlink > 1 and not stat.S_ISDIR(info.st_mode):
                if (info.st_dev, info.st_ino) in seen:
                    continue
                seen.add((info.st_dev, info.st_ino))
            blocks = -(-info.st_size // _BLOCK) if stat.S_ISREG(info.st_mode) else 1
            # An inode has 256 bytes.
            total += blocks * _BLOCK + 256
    return total


def write_fat(tools: Toolbox, image: str, volume: Volume, directory: str) -> None:
    """Make a FAT file system with all that is in a directory.

    Raises:
        ImageError: it does not fit, or the tool failed.
    """
    bits = "32" if volume.size >= 64 << 20 else "16"
    cluster = ("-s", "1") if bits == "32" else ()
    tools.run(
        "mkfs.vfat",
        *("--invariant", "-F", bits, *cluster, "-n", volume.role.value.upper()),
        *("-i", f"{volume.fat_serial:08x}", "--offset", str(volume.offset // SECTOR)),
        *(image, str(volume.size // 1024)),
    )
    names = sorted(os.listdir(directory))
    if names:
        paths = [os.path.join(directory, name) for name in names]
        tools.run("mcopy", "-s", "-m", "-Q", "-i", f"{image}@@{volume.offset}", *paths, "::")


def make_immutable(tools: Toolbox, image: str, volume: Volume, path: str) -> None:
    """Give a directory of an ext4 file system the attribute that forbids changes of its names.

    Raises:
        ImageError: the tool failed.
    """
    command = f"set_inode_field {path} flags {_EXTENTS | _IMMUTABLE}"
    tools.run("debugfs", "-w", "-R", command, f"{image}?offset={volume.offset}")
