"""Read-only mounts of a booted system made writable for one program (deployments §15)."""

from __future__ import annotations

import ctypes
import errno
import os
import time

from ostree.errors import SysrootError

_CLONE_NEWNS = 0x00020000
_MS_REMOUNT = 0x20
_MS_RELATIME = 1 << 21

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


def enter_private_namespace() -> None:
    """Give this thread, and threads it starts, mounts of their own.

    Nothing happens if they are already others than those of the first process.

    Raises:
        SysrootError: the kernel refuses.
    """
    try:
        if os.readlink("/proc/self/ns/mnt") != os.readlink("/proc/1/ns/mnt"):
            return
    except OSError:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise _failed("Initializing with mountns: unshare")


def remount_writable(path: str) -> None:
    """Make a mount writable, for this namespace only.

    Raises:
        SysrootError: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    name = os.fsencode(path)
    flags = ctypes.c_ulong(_MS_REMOUNT | _MS_RELATIME)
    deadline = time.monotonic() + _PATIENCE
    while libc.mount(name, name, None, flags, b"") != 0:
        # Frozen: somebody else is about to switch a boot configuration on it.
        if ctypes.get_errno() != errno.EBUSY or time.monotonic() >= deadline:
            raise _failed(f"Remounting {path} read-write")
        time.sleep(_POLL)


def _failed(what: str) -> SysrootError:
    return SysrootError(f"{what}: {os.strerror(ctypes.get_errno())}")
