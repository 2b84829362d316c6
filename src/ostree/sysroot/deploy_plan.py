"""What a deployment would do, from the list to the objects that a cleanup frees; nothing is done."""

from __future__ import annotations

import os

from ostree.errors import SysrootError
from ostree.formats.deployment_name import next_serial
from ostree.formats.sysroot_config import parse_config
from ostree.repo.prune import PruneRequest, carry_out
from ostree.repo.prune_roots import Keep
from ostree.sysroot.boot_plan import BootFacts, BootPlan, plan_full_swap, plan_sub_swap
from ostree.sysroot.bootloaders.choice import choose_bootloader
from ostree.sysroot.checking import room_checks
from ostree.sysroot.cleanup import boot_directories, is_deployment_ref
from ostree.sysroot.creating import directory_names
from ostree.sysroot.deployment_list import SwapKind, place, plan_list, plan_swap
from ostree.sysroot.etc_foresight import foresee_conflicts
from ostree.sysroot.foresight import Foresight
from ostree.sysroot.layout import deployments_directory, read_subbootversion
from ostree.sysroot.lint import lint
from ostree.sysroot.overlay_initrds import overlay_path
from ostree.sysroot.room import tree_usage
from ostree.sysroot.tree_files import DirectoryFiles
from ostree.sysroot.writing import read_boot_facts
from ostree.system.files import exists, open_subdirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.repo.prune import PruneResult
    from ostree.sysroot.bootloaders.bootloader import Bootloader, ConfigFile
    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deploying import DeployRequest
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.etc_conflicts import EtcConflict
    from ostree.sysroot.lint import Finding
    from ostree.sysroot.room import RoomCheck


class PlannedKernel:
    """A kernel that the new list needs.

    Attributes:
        directory: Where it is, or will be.
        files: The names of its files.
        size: Their bytes, of those that have to be written; 0 if it is there.
        is_installed: Whether it is there.
    """

    __slots__ = ("directory", "files", "is_installed", "size")

    def __init__(
        self, directory: str, files: Sequence[str], size: int, *, is_installed: bool
    ) -> None:
        self.directory = directory
        self.files = tuple(files)
        self.size = size
        self.is_installed = is_installed


class DeployPlan:
    """What a deployment would do.

    Attributes:
        new: The new deployment, at its place in the list.
        staged: Whether all of this waits for the shutdown.
        deployments: The new list.
        removed: Deployments that leave the list and are removed.
        boot: The new boot configuration.
        bootloader: The name of the boot loader that is written for, or None.
        bootloader_files: Its configuration.
        kernels: What has to be in ``/boot``.
        boot_directories: Directories of kernels that are removed, with the bytes that frees.
        pruned: Objects that are removed; None if nothing is pruned.
        conflicts: What of ``/etc`` was changed here and in the new default; it is kept as here.
        space: What is needed and what there is.
        findings: What is the matter with the tree; no errors.
    """

    __slots__ = (
        "boot",
        "boot_directories",
        "bootloader",
        "bootloader_files",
        "conflicts",
        "deployments",
        "findings",
        "kernels",
        "new",
        "pruned",
        "removed",
        "space",
        "staged",
    )

    def __init__(
        self,
        new: Deployment,
        deployments: Sequence[Deployment],
        boot: BootPlan,
        *,
        staged: bool,
    ) -> None:
        self.new = new
        self.deployments = tuple(deployments)
        self.boot = boot
        self.staged = staged
        self.removed: tuple[Deployment, ...] = ()
        self.bootloader: str | None = None
        self.bootloader_files: tuple[ConfigFile, ...] = ()
        self.kernels: tuple[PlannedKernel, ...] = ()
        self.boot_directories: tuple[tuple[str, int], ...] = ()
        self.pruned: PruneResult | None = None
        self.conflicts: tuple[EtcConflict, ...] = ()
        self.space: tuple[RoomCheck, ...] = ()
        self.findings: tuple[Finding, ...] = ()


def plan_deploy(sysroot: ChangeableSysroot, request: DeployRequest) -> DeployPlan:
    """Look at everything that :func:`~ostree.sysroot.deploying.deploy` would, and write nothing.

    Args:
        sysroot: Its list is loaded.
        request: What is to be deployed.

    Raises:
        OSTreeError: the deployment would fail.
    """
    foresight = Foresight(
        sysroot.repo, request.checksum, device_trees=sysroot.settings.device_trees
    )
    findings = lint(foresight.facts)
    errors = [finding.text for finding in findings if finding.is_error]
    if errors:
        raise SysrootError("; ".join(errors))
    current = [deployment for deployment in sysroot.deployments if not deployment.staged]
    new = _foresee(sysroot, request, foresight)
    wanted = plan_list(
        current, new, booted=sysroot.booted, merge=request.merge, retention=request.retention
    )
    placed = place(wanted)
    boot = _plan_boot(sysroot, foresight, current, wanted, new)
    described = next(d for d in placed if d.key == new.key)
    plan = DeployPlan(described, placed, boot, staged=request.stage)
    plan.findings = tuple(findings)
    keys = {deployment.key for deployment in wanted}
    plan.removed = tuple(d for d in current if d.key not in keys)
    waiting = next((d for d in sysroot.deployments if d.staged), None)
    if waiting is not None and not _stays_staged(sysroot, request, new):
        plan.removed = (waiting, *plan.removed)
    _plan_boot_files(sysroot, plan, foresight)
    if request.prune and not request.stage:
        plan.pruned = _plan_prune(sysroot, wanted)
    plan.conflicts = tuple(_plan_merge(sysroot, request, foresight))
    plan.space = tuple(room_checks(sysroot, request, foresight, exact=True))
    return plan


def _stays_staged(sysroot: ChangeableSysroot, request: DeployRequest, new: Deployment) -> bool:
    """Whether what is staged would stay in front of the list."""
    if request.stage:
        return False
    wanted = plan_list(
        sysroot.deployments,
        new,
        booted=sysroot.booted,
        merge=request.merge,
        retention=request.retention,
    )
    return wanted[0].staged


def _foresee(
    sysroot: ChangeableSysroot, request: DeployRequest, foresight: Foresight
) -> Deployment:
    """The deployment that would be made."""
    directory = deployments_directory(request.stateroot)
    if not exists(f"ostree/deploy/{request.stateroot}", sysroot.root_fd):
        raise SysrootError(f"No such stateroot: {request.stateroot}")
    names = directory_names(directory, sysroot.root_fd)
    if request.clean_first:
        listed = {d.name for d in sysroot.deployments if d.stateroot == request.stateroot}
        names = [name for name in names if name in listed]
    new = foresight.as_deployment(request.stateroot, next_serial(names, request.checksum))
    new.origin = request.origin
    arguments = request.arguments
    if arguments is None and request.merge is not None:
        arguments = request.merge.kernel_arguments
    if arguments:
        arguments.check()
        new.entry.set("options", str(arguments))
    config = parse_config(sysroot.repo.config.keyfile)
    new.entry.overlay_initrds = [
        overlay_path(overlay, bootprefix=config.bootprefix) for overlay in request.overlay_initrds
    ]
    return new


def _plan_boot(
    sysroot: ChangeableSysroot,
    foresight: Foresight,
    current: Sequence[Deployment],
    wanted: Sequence[Deployment],
    new: Deployment,
) -> BootPlan:
    bootversion = sysroot.bootversion
    placed = place(wanted)
    if plan_swap(current, wanted, version_of=sysroot.version_of) is SwapKind.SUB:
        return plan_sub_swap(
            placed,
            bootversion=bootversion,
            subbootversion=read_subbootversion(sysroot.root_fd, bootversion),
        )

    def facts(deployment: Deployment) -> BootFacts:
        version = sysroot.version_of(deployment)
        if deployment.key == new.key:
            return BootFacts(foresight.kernel, foresight.facts.os_release or {}, version)
        return read_boot_facts(deployment, sysroot.root_fd, sysroot.settings, version)

    return plan_full_swap(
        placed,
        [facts(deployment) for deployment in placed],
        bootversion=bootversion,
        subbootversion=read_subbootversion(sysroot.root_fd, 1 - bootversion),
        config=parse_config(sysroot.repo.config.keyfile),
    )


def _plan_boot_files(sysroot: ChangeableSysroot, plan: DeployPlan, foresight: Foresight) -> None:
    """What is written to, and removed from, ``/boot``."""
    root_fd = sysroot.root_fd
    plan.kernels = tuple(
        PlannedKernel(
            install.directory,
            [file.name for file in install.kernel.files()],
            0 if exists(install.directory, root_fd) else sum(foresight.kernel_sizes),
            is_installed=exists(install.directory, root_fd),
        )
        for install in {install.directory: install for install in plan.boot.kernels}.values()
    )
    kept = {deployment.bootcsum for deployment in plan.deployments}
    plan.boot_directories = tuple(
        (path, tree_usage(path, root_fd).size)
        for path, bootcsum in boot_directories(root_fd)
        if bootcsum not in kept
    )
    if plan.boot.kind is not SwapKind.FULL:
        return
    bootloader = choose_bootloader(
        parse_config(sysroot.repo.config.keyfile), sysroot.settings, root_fd
    )
    plan.bootloader_files = tuple(_plan_bootloader(sysroot, plan, foresight, bootloader))
    if plan.bootloader_files:
        plan.bootloader = bootloader.name


def _plan_bootloader(
    sysroot: ChangeableSysroot, plan: DeployPlan, foresight: Foresight, bootloader: Bootloader
) -> list[ConfigFile]:
    entries = [deployment.entry for deployment in plan.boot.deployments]
    default = plan.deployments[0]
    if default.key == plan.new.key:
        facts = bootloader.read_facts(foresight.files)
        return bootloader.config_files(facts, plan.boot.bootversion, entries)
    fd = open_subdirectory(sysroot.root_fd, default.path)
    try:
        facts = bootloader.read_facts(DirectoryFiles(fd))
    finally:
        os.close(fd)
    return bootloader.config_files(facts, plan.boot.bootversion, entries)


def _plan_merge(
    sysroot: ChangeableSysroot, request: DeployRequest, foresight: Foresight
) -> list[EtcConflict]:
    """The conflicts of the merge of ``/etc``, with the configuration as it is now."""
    offered = foresight.default_etc
    if request.merge is None or offered is None:
        return []
    fd = open_subdirectory(sysroot.root_fd, request.merge.path)
    try:
        return foresee_conflicts(fd, offered)
    finally:
        os.close(fd)


def _plan_prune(sysroot: ChangeableSysroot, wanted: Sequence[Deployment]) -> PruneResult:
    """What a prune would find once the refs of the old list are gone."""
    refs = frozenset(ref for ref in sysroot.repo.refs.local() if is_deployment_ref(ref))
    request = PruneRequest(
        Keep(refs_only=True, depth=0),
        extra_roots=tuple(deployment.checksum for deployment in wanted),
        dry_run=True,
        ignored_refs=refs,
    )
    return carry_out(sysroot.repo, request)
