"""Whether file systems have room for what is to be written.

Needs are counted low: who is refused had no chance.  Hard links cost nothing, so that a deployment
costs its directories and the files that are copied.
"""

from __future__ import annotations

import os
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: Left free in ``/boot`` besides, for boot entries and what a file system needs for itself.
BOOT_RESERVE = 1 << 20


class Room(NamedTuple):
    """Room that is free, or needed, on a file system.

    Attributes:
        size: Bytes.
        files: Inodes; None where the file system makes as many as are wanted.
    """

    size: int
    files: int | None = None

    def plus(self, other: Room) -> Room:
        """Both together; inodes that are not limited stay so."""
        if self.files is None or other.files is None:
            return Room(self.size + other.size)
        return Room(self.size + other.size, self.files + other.files)


class RoomCheck(NamedTuple):
    """A file system, what is needed on it, and what there is.

    Attributes:
        name: What it is called: ``/boot``, or ``the sysroot``.
        needed: What is to be written.
        free: What is free now.
        freed: What a cleanup frees before.
    """

    name: str
    needed: Room
    free: Room
    freed: Room

    @property
    def problem(self) -> str | None:
        """What is short, as a sentence; None if nothing is."""
        from ostree.formats.size_text import format_size

        there = self.free.plus(self.freed)
        if self.needed.size > there.size:
            return (
                f"Not enough space in {self.name}: {format_size(self.needed.size)} are needed, "
                f"{format_size(self.free.size)} are free, "
                f"a cleanup frees {format_size(self.freed.size)}"
            )
        if there.files is not None and (self.needed.files or 0) > there.files:
            return (
                f"Not enough inodes in {self.name}: {self.needed.files} are needed, "
                f"{self.free.files} are free, a cleanup frees {self.freed.files}"
            )
        return None


def free_room(fd: int) -> Room:
    """What is free, for us, on the file system of a descriptor."""
    info = os.statvfs(fd)
    size = (info.f_bfree if os.geteuid() == 0 else info.f_bavail) * info.f_frsize
    return Room(size, info.f_ffree if info.f_files else None)


def block_size(fd: int) -> int:
    """What a file takes at least, on the file system of a descriptor; in bytes."""
    return os.statvfs(fd).f_frsize or 4096


def in_blocks(sizes: Iterable[int], block: int) -> int:
    """What files of these sizes take, in bytes."""
    return sum(-(-size // block) * block for size in sizes)


def tree_usage(path: str, dir_fd: int) -> Room:
    """What removing a directory frees: files that have other names elsewhere free nothing."""
    size, files = 0, 0
    todo = [path]
    while todo:
        here = todo.pop()
        info = os.stat(here, dir_fd=dir_fd, follow_symlinks=False)
        size, files = size + info.st_blocks * 512, files + 1
        fd = os.open(here, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(f"{here}/{entry.name}")
                        continue
                    info = entry.stat(follow_symlinks=False)
                    if info.st_nlink == 1:
                        size, files = size + info.st_blocks * 512, files + 1
        finally:
            os.close(fd)
    return Room(size, files)
