"""Room made in a ``/boot`` of its own before a new kernel is installed (deployments §9.6).

The deployments that the new list drops lose their boot entries, and then their kernels, in a switch
of their own.  What is booted keeps both, so that there is always something to boot.
"""

from __future__ import annotations

import errno
import os
from enum import Enum
from typing import NamedTuple

from ostree.sysroot.cleanup import boot_directories
from ostree.sysroot.kernel import find_kernel, installed_sizes
from ostree.sysroot.room import BOOT_RESERVE, block_size, in_blocks, tree_usage
from ostree.sysroot.tree_files import DirectoryFiles
from ostree.system.anonymous import AnonymousFile
from ostree.system.files import open_directory, open_subdirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.sysroot.deployment import Deployment

#: The file system cannot tell in advance.
_CANNOT_TELL = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class Choice(Enum):
    """What is to be done."""

    #: There is room.
    ENOUGH = "enough"
    #: Removing the kernels that the new list does not need makes room.
    PRUNE = "prune"
    #: Even that would not do: let the disk say so.
    HOPELESS = "hopeless"


class BootSpace(NamedTuple):
    """Bytes in ``/boot``.

    Attributes:
        needed: For kernels of the new list that are not there.
        removable: Of kernels that the new list does not need.
    """

    needed: int
    removable: int


def choose(space: BootSpace, fits: Callable[[int], bool]) -> Choice:
    """Decide from what is needed and a test whether so many bytes can be had."""
    if not space.needed or fits(space.needed + BOOT_RESERVE):
        return Choice.ENOUGH
    missing = space.needed - space.removable
    if missing > 0 and not fits(missing + BOOT_RESERVE):
        return Choice.HOPELESS
    return Choice.PRUNE if space.removable else Choice.HOPELESS


def common_deployments(
    current: Sequence[Deployment], wanted: Sequence[Deployment]
) -> list[Deployment]:
    """Those of the current list that need no kernel which the new list does not need."""
    bootcsums = {deployment.bootcsum for deployment in wanted}
    return [deployment for deployment in current if deployment.bootcsum in bootcsums]


def is_apart(root_fd: int, repo_fd: int) -> bool:
    """Whether ``/boot`` is a file system of its own."""
    try:
        device = os.stat("boot", dir_fd=root_fd).st_dev
    except FileNotFoundError:
        return False
    return device != os.fstat(repo_fd).st_dev


def read_boot_space(root_fd: int, wanted: Sequence[Deployment], *, device_trees: bool) -> BootSpace:
    """What the new list needs in ``/boot``, and what it does not.

    Args:
        root_fd: The sysroot.
        wanted: The new list; all of it is checked out.
        device_trees: Whether device trees belong to kernels.

    Raises:
        SysrootError: a deployment has no kernel.
        OSError: reading failed.
    """
    boot_fd = open_directory("boot", dir_fd=root_fd)
    try:
        block = block_size(boot_fd)
    finally:
        os.close(boot_fd)
    present = {bootcsum for _, bootcsum in boot_directories(root_fd)}
    needed = {
        d.bootcsum: _kernel_size(root_fd, d, block, device_trees=device_trees)
        for d in wanted
        if d.bootcsum not in present
    }
    kept = {deployment.bootcsum for deployment in wanted}
    removable = sum(
        tree_usage(path, root_fd).size
        for path, bootcsum in boot_directories(root_fd)
        if bootcsum not in kept
    )
    return BootSpace(sum(needed.values()), removable)


def _kernel_size(root_fd: int, deployment: Deployment, block: int, *, device_trees: bool) -> int:
    fd = open_subdirectory(root_fd, deployment.path)
    try:
        files = DirectoryFiles(fd)
        return in_blocks(
            installed_sizes(files, find_kernel(files, device_trees=device_trees)), block
        )
    finally:
        os.close(fd)


def fits_in_boot(root_fd: int, size: int) -> bool:
    """Whether the file system of ``/boot`` gives that many bytes to a file; it is gone afterwards.

    Raises:
        OSError: the disk fails.
    """
    boot_fd = open_directory("boot", dir_fd=root_fd)
    try:
        with AnonymousFile(boot_fd) as file:
            os.posix_fallocate(file.fd, 0, size)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EFBIG}:
            return False
        if error.errno not in _CANNOT_TELL:
            raise
    finally:
        os.close(boot_fd)
    return True
