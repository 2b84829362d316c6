"""A complete delta into its place, in one step or nearly so (static deltas §2, §6.2)."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from ostree.system import files
from ostree.system.anonymous import random_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SUPERBLOCK = "superblock"


class Workplace:
    """A directory in which a delta is put together.

    Attributes:
        parent_fd: The directory that it is in.
        name: Its name there.
        fd: Its descriptor.
    """

    __slots__ = ("fd", "name", "parent_fd")

    def __init__(self, parent_fd: int, name: str) -> None:
        self.parent_fd = parent_fd
        self.name = name
        self.fd = files.open_subdirectory(parent_fd, name)


@contextmanager
def workplace(parent_fd: int) -> Iterator[Workplace]:
    """A new directory, removed in the end with what is left in it."""
    name = random_name("static-delta-")
    os.mkdir(name, 0o755, dir_fd=parent_fd)
    place = Workplace(parent_fd, name)
    try:
        yield place
    finally:
        os.close(place.fd)
        with suppress(FileNotFoundError):
            files.remove_tree(name, parent_fd)


def install(
    place: Workplace, superblock: bytes, dir_fd: int, directory: str, *, sync: bool
) -> None:
    """Move a delta, complete but for its superblock, to where it is looked for.

    A delta that is there is replaced: it ceases to exist, then the new one does.
    """
    os.fchmod(place.fd, 0o755)
    files.replace_file(_SUPERBLOCK, superblock, place.fd, sync=sync)
    if sync:
        os.fsync(place.fd)
    parent = os.path.dirname(directory)
    files.make_directories(parent, dir_fd, 0o775)
    if not files.exists(directory, dir_fd):
        os.rename(place.name, directory, src_dir_fd=place.parent_fd, dst_dir_fd=dir_fd)
    else:
        target = files.open_subdirectory(dir_fd, directory)
        try:
            fresh = files.list_directory(".", place.fd)
            _replace(place, target, _SUPERBLOCK)
            for name in os.listdir(target):
                # The old delta may have had more parts.
                if name.isdigit() and name not in fresh:
                    os.unlink(name, dir_fd=target)
        finally:
            os.close(target)
    if sync:
        fd = files.open_directory(parent, dir_fd=dir_fd)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def install_beside(place: Workplace, superblock: bytes, path: str, *, sync: bool) -> None:
    """Move a delta to a superblock file of any name, its parts beside it."""
    name = os.path.basename(os.path.abspath(path))
    files.replace_file(name, superblock, place.fd, sync=sync)
    _replace(place, place.parent_fd, name)


def _replace(place: Workplace, target: int, superblock: str) -> None:
    """Parts over parts, while there is no superblock that they would not fit."""
    with suppress(FileNotFoundError):
        os.unlink(superblock, dir_fd=target)
    parts = [name for name in files.list_directory(".", place.fd) if name != superblock]
    for name in sorted(parts, key=int):
        os.rename(name, name, src_dir_fd=place.fd, dst_dir_fd=target)
    os.rename(superblock, superblock, src_dir_fd=place.fd, dst_dir_fd=target)
