"""What was changed in the ``/etc`` of a deployment (deployments §18.11)."""

from __future__ import annotations

import os

from ostree.errors import NotFoundError, SysrootError
from ostree.sysroot.etc_scan import find_etc_changes
from ostree.sysroot.step import describe_error
from ostree.system.files import open_subdirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.etc_diff import EtcChanges
    from ostree.sysroot.view import SysrootView


def diff_config(sysroot: SysrootView, stateroot: str | None) -> EtcChanges:
    """The changes; see :meth:`ostree.sysroot.sysroot.Sysroot.diff_config`."""
    deployment = find_compared(sysroot, stateroot)
    try:
        fd = open_subdirectory(sysroot.root_fd, deployment.path)
        try:
            return find_etc_changes(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise SysrootError(describe_error(error)) from error


def find_compared(sysroot: SysrootView, stateroot: str | None) -> Deployment:
    """The merge deployment of a stateroot, or else the booted deployment.

    Raises:
        NotFoundError: there is no deployment of that stateroot.
        SysrootError: nothing is booted, and no stateroot is given.
    """
    if stateroot is not None:
        deployment = sysroot.merge_deployment(stateroot)
        if deployment is None:
            raise NotFoundError(f"No deployment for OS '{stateroot}'")
        return deployment
    if sysroot.booted is None:
        raise SysrootError("Not currently booted into an OSTree system and no --os= argument given")
    return sysroot.booted
