"""A writable overlay over the ``/usr`` of the running system (deployments §12)."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress

from ostree.errors import SysrootError
from ostree.formats.keyfile import KeyFile
from ostree.formats.origin import set_hotfixed
from ostree.sysroot.creating import backing_directory, write_origin
from ostree.sysroot.deploying import DeployRequest, deploy
from ostree.sysroot.deployment import UnlockedState
from ostree.sysroot.deployment_list import Retention
from ostree.sysroot.immutable import set_immutable
from ostree.sysroot.step import step
from ostree.sysroot.writing import touch_deployments
from ostree.system import mounting
from ostree.system.files import (
    make_directories,
    make_directory,
    open_directory,
    open_subdirectory,
    remove_tree,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment

_HOTFIX_UPPER = ".usr-ovl-upper"
_HOTFIX_WORK = ".usr-ovl-work"
_LABEL = "security.selinux"

_HINTS = {
    errno.ENODEV: "this kernel has no overlayfs: load its module, or build it in "
    "(CONFIG_OVERLAY_FS)",
    errno.EINVAL: "the file system of the sysroot cannot be the upper layer of an overlay; "
    "the kernel's log (dmesg) tells why",
    errno.EPERM: "mounting is forbidden here, as in most containers",
    errno.EACCES: "mounting is forbidden here, as in most containers",
}


def unlock(sysroot: ChangeableSysroot, state: UnlockedState) -> None:
    """Make ``/usr`` of the booted deployment writable.

    If the kernel refuses the overlay, nothing has changed.

    Args:
        sysroot: Of the running system.
        state: ``DEVELOPMENT`` until the next boot; ``TRANSIENT`` also, but only for those who
            remount it writable for themselves; ``HOTFIX`` until the next update.

    Raises:
        SysrootError: nothing is booted, it is unlocked already, or the kernel refuses.
        ValueError: ``state`` is none of these.
    """
    if state is UnlockedState.NONE:
        raise ValueError("/usr can only be unlocked")
    with sysroot.changing():
        sysroot.load()
        booted = _require_locked(sysroot)
        _require_propagation(sysroot)
        with _backing(sysroot, booted):
            _try_overlay(sysroot, booted)
            if state is UnlockedState.HOTFIX:
                booted = _keep_clone(sysroot, booted)
            _mount_and_record(sysroot, booted, state)
        touch_deployments(sysroot.root_fd)
        sysroot.load(force=True)


def _require_locked(sysroot: ChangeableSysroot) -> Deployment:
    booted = sysroot.booted
    if booted is None:
        raise SysrootError("Not currently booted into an OSTree system")
    if booted.unlocked is not UnlockedState.NONE:
        raise SysrootError(f"Deployment is already in unlocked state: {booted.unlocked.value}")
    return booted


def _require_propagation(sysroot: ChangeableSysroot) -> None:
    """Refuse to mount what nobody would see: the mounts are ours alone, and stay so.

    Raises:
        SysrootError: the mounts of the system do not follow ours.
    """
    if not sysroot.has_own_mounts:
        return
    place = mounting.find_mount(mounting.read_mounts(), "/usr")
    if place is None or not place.shared:
        raise SysrootError(
            "The overlay over /usr would not be seen by the system: "
            "/ is not a shared mount, and /sysroot or /boot is read-only",
            hint="run: mount --make-rshared / (systemd does that at boot)",
        )


# directories ----------------------------------------------------------------------------------


@contextmanager
def _backing(sysroot: ChangeableSysroot, booted: Deployment) -> Iterator[None]:
    """Empty directories for an overlay that lasts until the next boot; gone after a failure."""
    path = f"{backing_directory(booted)}/usr-transient"
    root_fd = sysroot.root_fd
    try:
        with step("Preparing overlay"):
            remove_tree(path, root_fd)
            make_directories(os.path.dirname(os.path.dirname(path)), root_fd, 0o700)
            for directory in (os.path.dirname(path), path):
                make_directory(directory, root_fd, 0o700)
            for name in ("upper", "work"):
                _make_like_usr(f"{path}/{name}", booted, root_fd)
        yield
    except BaseException:
        with suppress(OSError):
            remove_tree(path, root_fd)
        raise


def _make_like_usr(path: str, booted: Deployment, root_fd: int) -> None:
    """Make a directory, unless it is there, with the mode and the label of ``/usr``."""
    make_directory(path, root_fd, 0o700)
    usr_fd = open_subdirectory(root_fd, f"{booted.path}/usr")
    try:
        fd = open_subdirectory(root_fd, path)
        try:
            os.fchmod(fd, stat.S_IMODE(os.fstat(usr_fd).st_mode))
            with suppress(OSError):  # no SELinux
                os.setxattr(fd, _LABEL, os.getxattr(usr_fd, _LABEL))
        finally:
            os.close(fd)
    finally:
        os.close(usr_fd)


# the overlay ----------------------------------------------------------------------------------


def _try_overlay(sysroot: ChangeableSysroot, booted: Deployment) -> None:
    """Mount it where nobody sees it, before anything is changed.

    Raises:
        SysrootError: the kernel refuses.
    """

    def mount() -> None:
        mounting.unshare_mounts()
        mounting.mount(None, "/", None, mounting.RECURSIVE | mounting.PRIVATE)
        _mount(sysroot, booted, UnlockedState.DEVELOPMENT)

    with _refusal():
        mounting.apart(mount)


@contextmanager
def _refusal() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SysrootError(
            f"Failed overlayfs mount: {os.strerror(error.errno or 0)}",
            hint=_HINTS.get(error.errno or 0),
        ) from error


def _mount_and_record(sysroot: ChangeableSysroot, booted: Deployment, state: UnlockedState) -> None:
    root_fd = sysroot.root_fd
    set_immutable(booted.path, root_fd, on=False)
    if _is_mounted(state):
        # All that is missing of an interrupted hotfix; what is in its overlay stays.
        _record(sysroot, booted, state)
        return
    try:
        if state is UnlockedState.HOTFIX:
            # The work directory last: the next boot mounts the overlay if it finds it.
            for name in (_HOTFIX_UPPER, _HOTFIX_WORK):
                _make_like_usr(f"{booted.path}/{name}", booted, root_fd)
        with _refusal():
            mounting.apart(lambda: _mount(sysroot, booted, state))
        try:
            _record(sysroot, booted, state)
        except BaseException:
            mounting.unmount("/usr", mounting.DETACH)
            raise
    except BaseException:
        if state is UnlockedState.HOTFIX:
            for name in (_HOTFIX_WORK, _HOTFIX_UPPER):
                remove_tree(f"{booted.path}/{name}", root_fd)
        if sysroot.settings.immutable:
            set_immutable(booted.path, root_fd, on=True)
        raise


def _record(sysroot: ChangeableSysroot, booted: Deployment, state: UnlockedState) -> None:
    """Have everybody know, until the next boot or the next update."""
    if state is UnlockedState.HOTFIX:
        remove_tree(f"{backing_directory(booted)}/usr-transient", sysroot.root_fd)
        booted.origin = KeyFile() if booted.origin is None else booted.origin.copy()
        set_hotfixed(booted.origin)
        write_origin(booted, sysroot.root_fd)
        return
    directory = f"{sysroot.settings.run_directory}/ostree/deployment-state/{booted.name}"
    os.makedirs(directory, mode=0o755, exist_ok=True)
    mark = f"{directory}/unlocked-{state.value}"
    os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def _is_mounted(state: UnlockedState) -> bool:
    """Whether a hotfix has been interrupted after its overlay was mounted."""
    if state is not UnlockedState.HOTFIX:
        return False
    place = mounting.find_mount(mounting.read_mounts(), "/usr")
    return (
        place is not None
        and place.path == "/usr"
        and place.kind == "overlay"
        and f"upperdir={_HOTFIX_UPPER}" in place.super_options
    )


def _mount(sysroot: ChangeableSysroot, booted: Deployment, state: UnlockedState) -> None:
    """Mount the overlay; to be called in a thread of its own."""
    overlay_fd = -1
    try:
        # By path: the layers have to be mounts of this thread's namespace.  Those of a hotfix are
        # relative, as prepare-root mounts them.
        os.chdir(sysroot.deployment_path(booted))
        upper, work = _HOTFIX_UPPER, _HOTFIX_WORK
        if state is not UnlockedState.HOTFIX:
            path = os.path.join(sysroot.path, backing_directory(booted), "usr-transient")
            overlay_fd = open_directory(path)
            upper, work = (f"/proc/self/fd/{overlay_fd}/{name}" for name in ("upper", "work"))
        flags = mounting.READ_ONLY if state is UnlockedState.TRANSIENT else 0
        data = f"lowerdir=usr,upperdir={upper},workdir={work}"
        mounting.mount("overlay", "/usr", "overlay", flags | mounting.SILENT, data)
    finally:
        if overlay_fd >= 0:
            os.close(overlay_fd)


# the clone ------------------------------------------------------------------------------------


def _keep_clone(sysroot: ChangeableSysroot, booted: Deployment) -> Deployment:
    """Deploy the booted commit once more, to fall back to; the booted deployment as of now."""
    sysroot.clean_up(prune=False)
    deploy(
        sysroot,
        DeployRequest(
            booted.checksum,
            booted.stateroot,
            origin=KeyFile() if booted.origin is None else booted.origin.copy(),
            merge=booted,
            arguments=booted.kernel_arguments,
            retention=Retention(not_as_default=True),
        ),
    )
    return _require_locked(sysroot)
