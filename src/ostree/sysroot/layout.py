"""Where things are in a sysroot, and its two version numbers (deployments §1, §2.3)."""

from __future__ import annotations

import errno
import os

from ostree.errors import SysrootError

#: Above this, a file of the boot configuration is not what it claims to be.
MAX_TEXT = 1 << 20


def stateroot_directory(stateroot: str) -> str:
    """What belongs to a stateroot."""
    return f"ostree/deploy/{stateroot}"


def deployments_directory(stateroot: str) -> str:
    """Where the deployments of a stateroot are."""
    return f"ostree/deploy/{stateroot}/deploy"


def loader_directory(bootversion: int) -> str:
    """The boot configuration of one bootversion."""
    return f"boot/loader.{bootversion}"


def entries_directory(bootversion: int) -> str:
    """The boot entries of one bootversion."""
    return f"boot/loader.{bootversion}/entries"


def bootlinks_directory(bootversion: int, subbootversion: int) -> str:
    """The bootlinks of one pair of versions."""
    return f"ostree/boot.{bootversion}.{subbootversion}"


def kernel_directory(stateroot: str, bootcsum: str) -> str:
    """Where kernel and initramfs of a boot checksum are."""
    return f"boot/ostree/{stateroot}-{bootcsum}"


def read_bootversion(root_fd: int) -> int:
    """Which boot configuration is active, 0 or 1.

    Raises:
        SysrootError: ``boot/loader`` is no link, or leads elsewhere.
    """
    target = _read_link("boot/loader", root_fd)
    if target is None or target == "loader.0":
        return 0
    if target == "loader.1":
        return 1
    raise SysrootError(f"Invalid target '{target}' in boot/loader")


def read_subbootversion(root_fd: int, bootversion: int) -> int:
    """Which bootlinks of a bootversion are active, 0 or 1.

    Raises:
        SysrootError: the link is none, or leads elsewhere.
    """
    path = f"ostree/boot.{bootversion}"
    target = _read_link(path, root_fd)
    if target is None or target == f"boot.{bootversion}.0":
        return 0
    if target == f"boot.{bootversion}.1":
        return 1
    raise SysrootError(f"Invalid target '{target}' in {path}")


def _read_link(path: str, root_fd: int) -> str | None:
    try:
        return os.readlink(path, dir_fd=root_fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise SysrootError(f"Not a symbolic link: {path}") from error
        raise
