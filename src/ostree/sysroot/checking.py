"""The last moment to refuse a deployment: whether the tree can boot and there is room for it."""

from __future__ import annotations

import os

from ostree.errors import SpaceError, SysrootError
from ostree.events import Doubt
from ostree.sysroot.cleanup import boot_directories, unlisted_deployments
from ostree.sysroot.deployment_list import plan_list
from ostree.sysroot.foresight import Foresight
from ostree.sysroot.layout import deployments_directory, kernel_directory
from ostree.sysroot.lint import lint
from ostree.sysroot.room import (
    BOOT_RESERVE,
    Room,
    RoomCheck,
    block_size,
    free_room,
    in_blocks,
    tree_usage,
)
from ostree.sysroot.step import step
from ostree.system.files import exists, open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deploying import DeployRequest

#: With so much free nobody counts: no checkout of hard links takes that.
_PLENTY = Room(4 << 30, 1 << 20)


def check_deployable(sysroot: ChangeableSysroot, request: DeployRequest) -> None:
    """Refuse what cannot work, and tell of what may not.

    Args:
        sysroot: Its list is loaded.
        request: What is to be deployed.

    Raises:
        SysrootError: the tree cannot boot; all that is wrong with it is named.
        SpaceError: there is no room for it.
    """
    foresight = Foresight(
        sysroot.repo, request.checksum, device_trees=sysroot.settings.device_trees
    )
    with step("Checking tree"):
        findings = lint(foresight.facts)
    errors = [finding.text for finding in findings if finding.is_error]
    if errors:
        raise SysrootError("; ".join(errors))
    for finding in findings:
        sysroot.on_event(Doubt(finding.text))
    with step("Checking space"):
        for check in room_checks(sysroot, request, foresight, exact=False):
            if check.problem is not None:
                raise SpaceError(check.problem)


def room_checks(
    sysroot: ChangeableSysroot, request: DeployRequest, foresight: Foresight, *, exact: bool
) -> list[RoomCheck]:
    """What is needed and what is there, for each file system.

    Args:
        sysroot: Its list is loaded.
        request: What is to be deployed.
        foresight: What is known of the commit.
        exact: Whether to count even where there is plenty of room.
    """
    checks = []
    free = free_room(sysroot.root_fd)
    if exact or _is_scarce(free):
        need = foresight.checkout_need(block_size(sysroot.root_fd))
        checks.append(RoomCheck("the sysroot", need, free, _leftover_deployments(sysroot)))
    boot = _boot_check(sysroot, request, foresight, exact=exact)
    return checks if boot is None else [*checks, boot]


def _is_scarce(free: Room) -> bool:
    few = free.files is not None and free.files < (_PLENTY.files or 0)
    return few or free.size < _PLENTY.size


def _leftover_deployments(sysroot: ChangeableSysroot) -> Room:
    """What the cleanup before a deployment frees."""
    freed = Room(0, 0)
    for stateroot, name in unlisted_deployments(sysroot.root_fd, sysroot.deployments):
        path = f"{deployments_directory(stateroot)}/{name}"
        freed = freed.plus(tree_usage(path, sysroot.root_fd))
    return freed


def _boot_check(
    sysroot: ChangeableSysroot, request: DeployRequest, foresight: Foresight, *, exact: bool
) -> RoomCheck | None:
    """For ``/boot``, if that is a file system of its own: elsewhere kernels are hard links."""
    root_fd = sysroot.root_fd
    try:
        boot_fd = open_directory("boot", dir_fd=root_fd)
    except FileNotFoundError:
        return None
    try:
        if os.fstat(boot_fd).st_dev == os.fstat(sysroot.repo.dir_fd).st_dev:
            return None
        free, block = free_room(boot_fd), block_size(boot_fd)
    finally:
        os.close(boot_fd)
    sizes = foresight.kernel_sizes
    need = Room(in_blocks(sizes, block), len(sizes))
    if not exact and need.size + BOOT_RESERVE <= free.size and not _is_short(need, free):
        return None
    if exists(kernel_directory(request.stateroot, foresight.bootcsum), root_fd):
        need = Room(0, 0)
    return RoomCheck("/boot", need, free, _removable_kernels(sysroot, request, foresight))


def _is_short(need: Room, free: Room) -> bool:
    return free.files is not None and free.files < (need.files or 0) + 16


def _removable_kernels(
    sysroot: ChangeableSysroot, request: DeployRequest, foresight: Foresight
) -> Room:
    """What is freed before a kernel is installed: by a cleanup and, if booted, an early prune."""
    kept = {d.bootcsum for d in sysroot.deployments}
    if sysroot.booted is not None and sysroot.settings.early_prune:
        wanted = plan_list(
            sysroot.deployments,
            foresight.as_deployment(request.stateroot),
            booted=sysroot.booted,
            merge=request.merge,
            retention=request.retention,
        )
        kept = {d.bootcsum for d in wanted}
    freed = Room(0, 0)
    for path, bootcsum in boot_directories(sysroot.root_fd):
        if bootcsum not in kept:
            freed = freed.plus(tree_usage(path, sysroot.root_fd))
    return freed
