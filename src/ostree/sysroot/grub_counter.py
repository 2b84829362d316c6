"""The count of tries that GRUB keeps in its environment block, and a system that is up.

``boot_counter`` is the number of tries that are left and below 0 after a fallback, ``boot_success``
is 1 when a system has said that it is up: as Fedora has them.
"""

from __future__ import annotations

import os

from ostree.formats import grub_environment
from ostree.sysroot.step import step
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_COUNTER, _SUCCESS = "boot_counter", "boot_success"
_BLOCK = "grubenv"
#: Where it is besides the directories below ``EFI`` of the firmware's partition.
_PLACES = ("boot/grub", "boot/grub2")


def blocks_of_system(root: str) -> list[str]:
    """The blocks below ``/boot`` of a system."""
    return _existing(os.path.join(root, place, _BLOCK) for place in _PLACES)


def blocks_of_partition(directory: str) -> list[str]:
    """The blocks of a firmware's partition that is mounted at a directory."""
    vendors = os.path.join(directory, "EFI")
    if not os.path.isdir(vendors):
        return []
    return _existing(os.path.join(vendors, name, _BLOCK) for name in sorted(os.listdir(vendors)))


def _existing(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if os.path.isfile(path)]


def fell_back(path: str) -> bool:
    """Whether by a block GRUB started another deployment than the first, as that had no tries left.

    Raises:
        SysrootError: it cannot be read.
        FormatError: it is none.
    """
    with step(f"Reading {path}"):
        variables = grub_environment.read_variables(_mended(_read(path)))
    return variables.get(_SUCCESS) != "1" and variables.get(_COUNTER, "").startswith("-")


def accept(path: str) -> bool:
    """Note in a block that the system is up; whether GRUB counts there.

    The file is written in place: GRUB's own writes go to the blocks of the disk that it has, and it
    replays no journal that would give it others.  One that is damaged is made anew: GRUB would not
    count in it, and a system must not fail its check at each start for that.

    Raises:
        SysrootError: it cannot be read or written.
        FormatError: it is none.
    """
    with step(f"Setting back the count of boots in {path}"):
        present = _read(path)
        block = _mended(present)
        variables = grub_environment.read_variables(block)
        if block == present and not variables.keys() & {_COUNTER, _SUCCESS}:
            return False
        if variables.get(_SUCCESS) != "1" or _COUNTER in variables:
            new = grub_environment.change_variables(block, {_SUCCESS: "1", _COUNTER: None})
            _write_in_place(path, new)
    return True


def _mended(block: bytes) -> bytes:
    """A block instead of what has the length of one and is none."""
    if len(block) == grub_environment.SIZE and not grub_environment.is_block(block):
        return grub_environment.empty_block()
    return block


def _read(path: str) -> bytes:
    return files.read_file(path, limit=grub_environment.MAX_SIZE)


def _write_in_place(path: str, block: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(fd, block, 0)
        os.fsync(fd)
    finally:
        os.close(fd)
