"""Deployments that stay until they are unpinned (deployments §18.7)."""

from __future__ import annotations

from ostree.errors import NotFoundError, SysrootError
from ostree.formats import origin as origins
from ostree.formats.keyfile import KeyFile
from ostree.sysroot.deployment_list import check_index, find_pending, find_rollback
from ostree.sysroot.origin_changes import replace_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment

#: What a deployment may be called instead of its place in the list.
KINDS = ("booted", "pending", "rollback")


def find_deployment(
    deployments: Sequence[Deployment], booted: Deployment | None, which: int | str
) -> Deployment:
    """The deployment at a place, or what the running system calls so.

    Args:
        deployments: The list.
        booted: The running one.
        which: An index, or one of :data:`KINDS`.

    Raises:
        NotFoundError: the running system has none of that kind, or none is running.
        SysrootError: there is no such place.
    """
    if isinstance(which, int):
        check_index(deployments, which)
        return deployments[which]
    if which not in KINDS:
        raise SysrootError(f"Invalid index: {which}")
    found = booted
    if booted is not None and which == "pending":
        found = find_pending(deployments, booted, booted.stateroot)
    elif booted is not None and which == "rollback":
        found = find_rollback(deployments, booted, booted.stateroot)
    if found is None:
        raise NotFoundError(f"Deployment type not found: {which}")
    return found


def set_pinned(sysroot: ChangeableSysroot, which: int | str, *, pinned: bool) -> bool:
    """Pin or unpin a deployment; whether that was a change.

    Only the origin file changes, not the list.

    Args:
        sysroot: Its lock is held and its list is loaded.
        which: As for :func:`find_deployment`.
        pinned: What it is to be.

    Raises:
        SysrootError: there is no such deployment, or it is staged.
    """
    deployment = find_deployment(sysroot.deployments, sysroot.booted, which)
    if deployment.staged:
        raise SysrootError("Cannot pin staged deployment")
    if deployment.pinned == pinned:
        return False
    origin = KeyFile() if deployment.origin is None else deployment.origin.copy()
    origins.set_pinned(origin, pinned=pinned)
    replace_origin(sysroot, deployment, origin)
    return True
