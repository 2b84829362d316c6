"""Read-only mounts of a booted system made writable for one program (deployments §15)."""

from __future__ import annotations

import errno
import os
import time

from ostree.errors import SysrootError
from ostree.system import mounting

#: How long another program may keep a file system frozen, in seconds.
_PATIENCE = 10.0
_POLL = 0.05


def read_only_mounts() -> list[str]:
    """Which of the places that deploying writes to cannot be written to."""
    return [
        path
        for path in ("/sysroot", "/boot")
        if os.path.isdir(path) and os.statvfs(path).f_flag & os.ST_RDONLY
    ]


def enter_private_namespace() -> bool:
    """Give this thread, and threads it starts, mounts of their own; whether it had none before.

    Nothing happens if they are already others than those of the first process.

    Raises:
        SysrootError: the kernel refuses.
    """
    try:
        if os.readlink("/proc/self/ns/mnt") != os.readlink("/proc/1/ns/mnt"):
            return False
    except OSError:
        return False
    try:
        mounting.unshare_mounts()
    except OSError as error:
        raise SysrootError(f"Initializing with mountns: unshare: {error.strerror}") from error
    return True


def remount_writable(path: str) -> None:
    """Make a mount writable, for this namespace only.

    Raises:
        SysrootError: the kernel refuses.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            mounting.mount(path, path, None, mounting.REMOUNT | mounting.RELATIME, "")
        except OSError as error:
            # Frozen: somebody else is about to switch a boot configuration on it.
            if error.errno != errno.EBUSY or time.monotonic() >= deadline:
                raise SysrootError(f"Remounting {path} read-write: {error.strerror}") from error
            time.sleep(_POLL)
        else:
            return
