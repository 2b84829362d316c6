"""A new deployment made and put into the list (deployments §7, §9.1)."""

from __future__ import annotations

from ostree.formats.sysroot_config import parse_config
from ostree.sysroot.creating import DeploymentMaker
from ostree.sysroot.deployment_list import Retention, plan_list
from ostree.sysroot.overlay_initrds import overlay_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import TypedDict

    from ostree.formats.kernel_arguments import KernelArguments
    from ostree.formats.keyfile import KeyFile
    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.kernel_argument_options import KernelArgumentOptions
    from ostree.types import Checksum

    class DeployOptions(TypedDict, total=False):
        """The keyword arguments of :meth:`~ostree.sysroot.sysroot.Sysroot.deploy`."""

        stateroot: str | None
        origin: KeyFile | None
        kernel_arguments: KernelArgumentOptions | None
        merge: bool
        prune: bool
        retention: Retention | None
        stage: bool
        lock_finalization: bool
        overlay_initrds: Sequence[str | os.PathLike[str]]
        lint: bool


class DeployRequest:
    """What is to be deployed and how, with everything decided.

    Attributes:
        checksum: The commit.
        stateroot: Where to.
        origin: Where the deployment comes from.
        merge: Whose ``/etc`` and, without ``arguments``, kernel arguments are taken over.
        arguments: The kernel arguments.
        retention: Which deployments stay.
        prune: Whether to remove objects that nothing needs any more.
        stage: Whether to finish the deployment at shutdown.
        lock_finalization: Whether a staged one has to be unlocked before.
        overlay_initrds: The checksums of staged initrds to be appended.
        lint: Whether to refuse a tree that cannot boot, or that there is no room for.
        clean_first: Whether to remove what is left over before, too.
    """

    __slots__ = (
        "arguments",
        "checksum",
        "clean_first",
        "lint",
        "lock_finalization",
        "merge",
        "origin",
        "overlay_initrds",
        "prune",
        "retention",
        "stage",
        "stateroot",
    )

    def __init__(
        self,
        checksum: Checksum,
        stateroot: str,
        *,
        origin: KeyFile,
        merge: Deployment | None,
        arguments: KernelArguments | None = None,
        retention: Retention | None = None,
        prune: bool = True,
        stage: bool = False,
        lock_finalization: bool = False,
        overlay_initrds: Sequence[Checksum] = (),
        lint: bool = True,
        clean_first: bool = False,
    ) -> None:
        self.checksum = checksum
        self.stateroot = stateroot
        self.origin = origin
        self.merge = merge
        self.arguments = arguments
        self.retention = retention or Retention()
        self.prune = prune
        self.stage = stage
        self.lock_finalization = lock_finalization
        self.overlay_initrds = tuple(overlay_initrds)
        self.lint = lint
        self.clean_first = clean_first


def deploy(sysroot: ChangeableSysroot, request: DeployRequest) -> Deployment:
    """Make a deployment and, unless it is to be staged, a list with it the active one.

    Args:
        sysroot: Its lock is held and its list is loaded.
        request: What to deploy.

    Raises:
        OSTreeError: the list is as it was; what was made is removed by the next cleanup.
    """
    if request.lint:
        from ostree.sysroot.checking import check_deployable

        check_deployable(sysroot, request)
    if request.clean_first:
        sysroot.clean_up(prune=False)
    config = parse_config(sysroot.repo.config.keyfile)
    booted = sysroot.booted
    maker = DeploymentMaker(
        sysroot.root_fd,
        sysroot.repo,
        sysroot.settings,
        booted_stateroot=None if booted is None else booted.stateroot,
        on_event=sysroot.on_event,
        sync_files=not sysroot.disk.reaches(sysroot.root_fd),
    )
    if request.stage:
        from ostree.sysroot.staging import stage

        new = stage(sysroot, maker, request)
        sysroot.clean_up(prune=False)
        return new
    new = maker.make(
        request.checksum,
        request.stateroot,
        origin=request.origin,
        merge=request.merge,
        arguments=request.arguments,
        overlay_initrds=[
            overlay_path(overlay, bootprefix=config.bootprefix)
            for overlay in request.overlay_initrds
        ],
    )
    wanted = plan_list(
        sysroot.deployments, new, booted=booted, merge=request.merge, retention=request.retention
    )
    sysroot.write_deployments(wanted)
    sysroot.clean_up(prune=request.prune)
    return next(d for d in sysroot.deployments if d.key == new.key)
