"""``/sysroot``, ``/etc`` and ``/var`` made as writable as they should be, early in a boot (boot §5)."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from ostree.errors import SysrootError
from ostree.events import Message
from ostree.formats.booted_state import BootedState
from ostree.sysroot.generator import mark_booted
from ostree.sysroot.labelling import label_file, read_policy
from ostree.system import mounting
from ostree.system.files import exists, open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.events import Listener
    from ostree.system.selinux import Policy

_SELINUX = "/sys/fs/selinux/enforce"
_MACHINE_ID = "/etc/machine-id"
_PLACES = ("/", "/sysroot", "/etc", "/var")


class Remount(NamedTuple):
    """A mount and how it is to be: ``writable`` or not."""

    path: str
    writable: bool


def plan_remounts(state: BootedState, writable: Mapping[str, bool]) -> list[Remount]:
    """What has to change.

    Args:
        state: How the system was booted.
        writable: Whether each of ``/``, ``/sysroot``, ``/etc`` and ``/var`` can be written to;
            what is missing or a symbolic link is not in it.
    """
    if not writable.get("/", True) and not state.composefs:
        # The whole system is read-only, and meant to be.
        return []
    wanted = [Remount("/sysroot", not state.sysroot_ro)]
    if state.sysroot_ro and state.transient_etc is None:
        wanted.append(Remount("/etc", writable=True))
    wanted.append(Remount("/var", writable=True))
    return [r for r in wanted if r.path in writable and writable[r.path] != r.writable]


def remount(run_directory: str, on_event: Listener) -> None:
    """Do it, and tell of each.

    Args:
        run_directory: Where the state of the running system is.
        on_event: Is told what was remounted.

    Raises:
        SysrootError: the kernel refuses.
    """
    state = BootedState.decode(mark_booted(run_directory))
    if state.transient_etc is not None and os.path.exists(_SELINUX):
        _label_transient_etc(state.transient_etc)
    writable = {
        path: not os.statvfs(path).f_flag & os.ST_RDONLY
        for path in _PLACES
        if os.path.exists(path) and not os.path.islink(path)
    }
    for change in plan_remounts(state, writable):
        if _remount(change):
            on_event(Message(f"Remounted {'rw' if change.writable else 'ro'}: {change.path}"))


def _label_transient_etc(directory: str) -> None:
    """Give its label to what was written to ``/etc`` before there was a policy.

    In mounts of our own, without what systemd mounts over ``/etc/machine-id``.

    Raises:
        OSTreeError: the policy cannot be used.
        OSError: a label cannot be set.
    """

    def label() -> None:
        root_fd = open_directory("/")
        try:
            policy = read_policy(root_fd)
        finally:
            os.close(root_fd)
        if policy is None:
            return
        mounting.unshare_mounts()
        mounting.mount(None, "/", None, mounting.RECURSIVE | mounting.PRIVATE)
        if os.path.ismount(_MACHINE_ID):
            mounting.unmount(_MACHINE_ID, mounting.DETACH)
        label_upper(policy, f"{directory}/upper", "/etc")

    mounting.apart(label)


def label_upper(policy: Policy, upper: str, merged: str) -> None:
    """Label, in the merged directory of an overlay, all that comes from its upper layer.

    Args:
        policy: Says which label ``/etc/…`` has.
        upper: The upper layer.
        merged: The directory that is seen.

    Raises:
        OSTreeError: naming the path.
    """
    merged_fd = open_directory(merged)
    try:
        for directory, directories, files in os.walk(upper):
            for name in sorted([*directories, *files]):
                path = os.path.relpath(os.path.join(directory, name), upper)
                if exists(path, merged_fd):  # not a whiteout
                    label_file(policy, path, merged_fd, f"/etc/{path}")
    finally:
        os.close(merged_fd)


def _remount(change: Remount) -> bool:
    """Whether it is a mount, and was changed."""
    flags = mounting.REMOUNT | mounting.SILENT
    if not change.writable:
        # Only this view of the file system: / may be another one of the same.
        flags |= mounting.BIND | mounting.READ_ONLY
    try:
        mounting.mount(change.path, change.path, None, flags)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return False
        word = "rw" if change.writable else "ro"
        raise SysrootError(f"Remounting {word} {change.path}: {error.strerror}") from error
    return True
