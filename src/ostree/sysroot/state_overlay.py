"""An overlay that keeps local changes in ``/var``, until an update of the system wins (deployments §20)."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

from ostree.errors import SysrootError
from ostree.system import mounting
from ostree.system.files import make_directories, open_directory, open_subdirectory, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.sysroot.view import SysrootView

_DIRECTORY = "ostree/state-overlays"
_COMMIT = "user.ostree.deploymentcsum"
_LABEL = "security.selinux"
_OPAQUE = "trusted.overlay.opaque"


class Upper(Enum):
    """What a name in the upper layer is."""

    DIRECTORY = "directory"
    #: A directory that hides the one below it.
    OPAQUE = "opaque"
    #: A file, or a whiteout.
    OTHER = "other"


class Level(NamedTuple):
    """What to do with the names of one directory of the upper layer; the rest stays."""

    delete: list[str]
    descend: list[str]


def plan_level(upper: Mapping[str, Upper], lower: Mapping[str, bool]) -> Level:
    """What an update does to one directory: what it ships wins, what it does not know stays.

    Args:
        upper: The names in the upper layer.
        lower: The names that the system ships there, and whether they are directories.
    """
    level = Level([], [])
    for name in sorted(upper.keys() & lower.keys()):
        both = upper[name] is Upper.DIRECTORY and lower[name]
        (level.descend if both else level.delete).append(name)
    return level


def prune(upper_fd: int, lower_fd: int) -> None:
    """Remove from an upper layer what hides something of the lower one.

    Raises:
        OSError: as opendir(3) and unlinkat(2).
    """
    upper = {name: _classify(name, upper_fd) for name in os.listdir(upper_fd)}
    lower = {name: _is_directory(name, lower_fd) for name in os.listdir(lower_fd)}
    level = plan_level(upper, lower)
    for name in level.delete:
        remove_tree(name, upper_fd)
    for name in level.descend:
        below_upper = open_subdirectory(upper_fd, name)
        try:
            below_lower = open_subdirectory(lower_fd, name)
            try:
                prune(below_upper, below_lower)
            finally:
                os.close(below_lower)
        finally:
            os.close(below_upper)


def _is_directory(name: str, dir_fd: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode)


def _classify(name: str, dir_fd: int) -> Upper:
    if not _is_directory(name, dir_fd):
        return Upper.OTHER
    fd = open_subdirectory(dir_fd, name)
    try:
        opaque = _read_attribute(fd, _OPAQUE) == b"y"
    finally:
        os.close(fd)
    return Upper.OPAQUE if opaque else Upper.DIRECTORY


def _read_attribute(fd: int, name: str) -> bytes | None:
    try:
        return os.getxattr(fd, name)
    except OSError:
        return None


def mount_state_overlay(
    sysroot: SysrootView, name: str, mount_path: str, *, var: str = "/var"
) -> None:
    """Mount the overlay, with what was changed before, unless it is mounted.

    Args:
        sysroot: The running system.
        name: Tells it from other overlays.
        mount_path: The directory to make writable.
        var: Where changes are kept.

    Raises:
        SysrootError: nothing is booted, the name is none, or the kernel refuses.
    """
    booted = sysroot.booted
    if booted is None:
        raise SysrootError("Must be booted into an OSTree deployment")
    if name in {"", ".", ".."} or "/" in name:
        raise SysrootError(f"Invalid name of a state overlay: '{name}'")
    directory = os.path.join(var, _DIRECTORY, name)
    target = os.path.realpath(mount_path)
    if _is_mounted(target, directory):
        return
    try:
        _prepare(directory, target, booted.checksum)
        mounting.mount(
            "overlay", target, "overlay", mounting.SILENT, overlay_options(target, directory)
        )
    except OSError as error:
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str) else ""
        raise SysrootError(f"Mounting state overlay {name}: {where}{error.strerror}") from error


def overlay_options(target: str, directory: str) -> str:
    """The options of the mount; what separates them, or layers, is escaped in names."""
    layers = {
        "lowerdir": target,
        "upperdir": f"{directory}/upper",
        "workdir": f"{directory}/work",
    }
    return ",".join(f"{key}={_escape(value)}" for key, value in layers.items())


def _escape(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def _is_mounted(target: str, directory: str) -> bool:
    place = mounting.find_mount(mounting.read_mounts(), target)
    upper = f"upperdir={directory}/upper"
    return (
        place is not None
        and place.path == target
        and place.kind == "overlay"
        and any(
            option.replace("\\", "") == upper.replace("\\", "") for option in place.super_options
        )
    )


def _prepare(directory: str, target: str, checksum: str) -> None:
    """Make the layers; take from the upper one what is older than this commit."""
    target_fd = open_directory(target)
    try:
        root_fd = open_directory("/")
        try:
            for name in ("upper", "work"):
                make_directories(f"{directory.lstrip('/')}/{name}", root_fd, 0o700)
        finally:
            os.close(root_fd)
        upper_fd = open_directory(f"{directory}/upper")
        try:
            if _read_attribute(upper_fd, _COMMIT) != checksum.encode():
                prune(upper_fd, target_fd)
                _resemble(upper_fd, target_fd)
                os.setxattr(upper_fd, _COMMIT, checksum.encode())
        finally:
            os.close(upper_fd)
    finally:
        os.close(target_fd)


def _resemble(upper_fd: int, target_fd: int) -> None:
    """The directory will be seen with the owner and mode of the upper layer: let them be the same."""
    info = os.fstat(target_fd)
    os.fchown(upper_fd, info.st_uid, info.st_gid)
    os.fchmod(upper_fd, stat.S_IMODE(info.st_mode))
    with suppress(OSError):  # no SELinux
        os.setxattr(upper_fd, _LABEL, os.getxattr(target_fd, _LABEL))
