"""What was changed in the ``/etc`` of a deployment (deployments §18.11)."""

from __future__ import annotations

import os
from contextlib import contextmanager

from ostree.errors import NotFoundError, SysrootError
from ostree.sysroot.etc_conflicts import find_conflicts
from ostree.sysroot.etc_scan import find_etc_changes, opened, scan_sides
from ostree.sysroot.step import describe_error
from ostree.system.files import open_subdirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.etc_conflicts import EtcConflict
    from ostree.sysroot.etc_diff import EtcChanges
    from ostree.sysroot.view import SysrootView


class ConfigConflicts:
    """What of ``/etc`` was changed here, and by the vendor between two versions, too.

    Attributes:
        deployment: Whose ``/etc`` it is about.
        old: The version whose default is the older one; None if there is only one version.
        new: The version with the newer default, likewise; one of the two is ``deployment``.
        conflicts: Sorted by path.
    """

    __slots__ = ("conflicts", "deployment", "new", "old")

    def __init__(
        self,
        deployment: Deployment,
        old: Deployment | None,
        new: Deployment | None,
        conflicts: list[EtcConflict],
    ) -> None:
        self.deployment = deployment
        self.old = old
        self.new = new
        self.conflicts = conflicts


def diff_config(sysroot: SysrootView, stateroot: str | None) -> EtcChanges:
    """The changes; see :meth:`ostree.sysroot.sysroot.Sysroot.diff_config`."""
    with (
        _telling_errors(),
        _opened_root(sysroot, find_compared(sysroot, stateroot)) as fd,
    ):
        return find_etc_changes(fd)


def find_config_conflicts(sysroot: SysrootView, stateroot: str | None) -> ConfigConflicts:
    """See :meth:`ostree.sysroot.sysroot.Sysroot.find_config_conflicts`."""
    deployment = find_compared(sysroot, stateroot)
    versions = choose_versions(sysroot.deployments, deployment)
    if versions is None:
        return ConfigConflicts(deployment, None, None, [])
    old, new = versions
    with (
        _telling_errors(),
        _opened_root(sysroot, old) as old_fd,
        _opened_root(sysroot, deployment) as here_fd,
        _opened_root(sysroot, new) as new_fd,
        opened("usr/etc", old_fd) as default_fd,
        opened("etc", here_fd) as edited_fd,
        opened("usr/etc", new_fd) as offered_fd,
    ):
        sides = scan_sides(default_fd, edited_fd, offered_fd)
        return ConfigConflicts(deployment, old, new, find_conflicts(sides.changes(), sides))


def choose_versions(
    listed: Sequence[Deployment], deployment: Deployment
) -> tuple[Deployment, Deployment] | None:
    """Between which two deployments the vendor's changes are looked for.

    Up to the one that is booted next, if that is another version of the same stateroot; otherwise
    since the version before, which comes later in the list.

    Args:
        listed: All deployments.
        deployment: One of them.

    Returns:
        The older one and the newer one, one of them ``deployment``; None if there is no other
        version.
    """
    place = listed.index(deployment)

    def is_other(other: Deployment) -> bool:
        return other.stateroot == deployment.stateroot and other.checksum != deployment.checksum

    for other in filter(is_other, listed[:place]):
        return deployment, other
    for other in filter(is_other, listed[place + 1 :]):
        return other, deployment
    return None


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


@contextmanager
def _opened_root(sysroot: SysrootView, deployment: Deployment) -> Iterator[int]:
    """A descriptor of a deployment's directory, closed on leaving the context."""
    fd = open_subdirectory(sysroot.root_fd, deployment.path)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _telling_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SysrootError(describe_error(error)) from error
