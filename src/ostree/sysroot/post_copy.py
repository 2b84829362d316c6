"""What a file system misses after its content was copied from another (deployments §18.16).

Sealing files with fs-verity is a property of their inodes, which copies have not.
"""

from __future__ import annotations

import os
import stat

from ostree.sysroot.step import step
from ostree.system import fsverity
from ostree.system.files import FILE_FLAGS, exists, walk_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.sysroot.changing import ChangeableSysroot

#: The image of a deployment's tree.
_IMAGE = ".ostree.cfs"


def seal_copies(sysroot: ChangeableSysroot) -> int:
    """Seal all loose objects and the images of all deployments, if the repository wants that.

    A file system that cannot do it is no error; nothing more is tried then.

    Args:
        sysroot: Its lock is held and its list is loaded.

    Returns:
        How many files are sealed now, those that were before included.

    Raises:
        SysrootError: naming a file that cannot be opened or sealed.
    """
    if sysroot.repo.config.verity == "no":
        return 0
    sealed = 0
    for path, dir_fd in _candidates(sysroot):
        with step(f"Sealing {path}"):
            done = _seal(path, dir_fd)
        if not done:
            break
        sealed += 1
    return sealed


def _candidates(sysroot: ChangeableSysroot) -> Iterator[tuple[str, int]]:
    """Paths of regular files, and the directories they start from."""
    repo_fd = sysroot.repo.dir_fd
    for name in walk_files("objects", repo_fd):
        path = f"objects/{name}"
        if stat.S_ISREG(os.stat(path, dir_fd=repo_fd, follow_symlinks=False).st_mode):
            yield path, repo_fd
    for deployment in sysroot.deployments:
        image = f"{deployment.path}/{_IMAGE}"
        if exists(image, sysroot.root_fd):
            yield image, sysroot.root_fd


def _seal(path: str, dir_fd: int) -> bool:
    fd = os.open(path, FILE_FLAGS, dir_fd=dir_fd)
    try:
        return fsverity.enable(fd)
    finally:
        os.close(fd)
