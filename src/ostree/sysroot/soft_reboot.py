"""Another deployment entered without starting the kernel again (deployments §19).

``/run/nextroot`` is what systemd goes on with; ``/run/ostree/nextroot-booted`` will be
``/run/ostree-booted`` then.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

from ostree.errors import SysrootError
from ostree.sysroot import deployment_list
from ostree.sysroot.shutdown_service import start_service
from ostree.sysroot.step import describe_error
from ostree.system import mounting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment

#: Below ``/run``.
NEXT_ROOT = "nextroot"
NEXT_STATE = "ostree/nextroot-booted"


def has_same_kernel(booted: Deployment, target: Deployment) -> bool:
    """Whether what runs already is what would be started for ``target``.

    What has no kernel arguments of its own yet gets those of the booted deployment.
    """
    if booted.bootcsum != target.bootcsum:
        return False
    if target.entry.get("options") is None:
        return True
    return booted.kernel_arguments.without("ostree") == target.kernel_arguments.without("ostree")


def reset(run_directory: str) -> None:
    """Prepare for none: the next reboot starts the kernel.

    Raises:
        SysrootError: what is mounted cannot be taken away.
    """
    try:
        mounting.apart(lambda: _unmount(run_directory))
        with suppress(FileNotFoundError):
            os.unlink(f"{run_directory}/{NEXT_STATE}")
    except OSError as error:
        raise SysrootError(f"Resetting soft reboot: {describe_error(error)}") from error


def is_prepared(run_directory: str) -> bool:
    """Whether there is anything to reset."""
    return os.path.lexists(f"{run_directory}/{NEXT_STATE}")


def _unmount(run_directory: str) -> None:
    """Take away everything below the next root, last mount first, for the whole system."""
    _enter_system()
    root = f"{run_directory}/{NEXT_ROOT}"
    for place in reversed(mounting.read_mounts()):
        if place.path == root or place.path.startswith(f"{root}/"):
            mounting.unmount(place.path, mounting.DETACH)


def _enter_system() -> None:
    """See the mounts of the system: ours may be our own."""
    try:
        if os.readlink("/proc/thread-self/ns/mnt") == os.readlink("/proc/1/ns/mnt"):
            return
    except OSError:
        return
    mounting.enter_namespace("/proc/1/ns/mnt")


def prepare(
    sysroot: ChangeableSysroot, index: int, command: Sequence[str], *, keep_failed: bool = False
) -> None:
    """Have a soft reboot lead to the deployment at ``index``.

    Args:
        sysroot: Of the running system.
        index: Its place in the list.
        command: How to run ``impl-prepare-soft-reboot`` in a process of its own.
        keep_failed: Whether what was mounted before a failure stays, to be looked at.

    Raises:
        SysrootError: the deployment runs already, needs another kernel, or cannot be mounted.
    """
    with sysroot.changing():
        sysroot.load()
        booted = sysroot.booted
        if booted is None:
            raise SysrootError("Not currently booted into an OSTree system")
        listed = sysroot.deployments
        deployment_list.check_index(listed, index)
        target = listed[index]
        if target is booted:
            raise SysrootError(
                f"Cannot prepare for soft-reboot currently booted deployment {index}"
            )
        if not has_same_kernel(booted, target):
            raise SysrootError(
                "Preparing /run/nextroot for a soft-reboot: "
                "Cannot soft-reboot to deployment with different kernel state"
            )
        run_directory = sysroot.settings.run_directory
        start_service(run_directory)
        if listed[0].staged and listed[0] is not target:
            sysroot.write_deployments(listed[1:])
        reset(run_directory)
        path = os.path.join("/sysroot", target.path)
        try:
            _run_in_system(path, command)
        except BaseException:
            if not keep_failed:
                reset(run_directory)
            raise


def _run_in_system(directory: str, command: Sequence[str]) -> None:
    def run() -> subprocess.CompletedProcess[str]:
        _enter_system()
        os.chdir(directory)
        return subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    try:
        result = mounting.apart(run)
    except OSError as error:
        raise SysrootError(f"Preparing /run/nextroot: {describe_error(error)}") from error
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        reason = lines[-1].removeprefix("error: ") if lines else f"exit status {result.returncode}"
        raise SysrootError(f"Preparing /run/nextroot for a soft-reboot: {reason}")
