"""A new deployment that is only finished at shutdown, with ``/etc`` as it is then (deployments §11)."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.formats.staged_state import StagedState
from ostree.sysroot import staged
from ostree.sysroot.boot_config import extra_keys_of
from ostree.sysroot.cleanup import remove_deployment
from ostree.sysroot.creating import DeploymentMaker, write_origin
from ostree.sysroot.shutdown_service import start_service
from ostree.sysroot.soft_reboot import is_prepared, reset
from ostree.sysroot.step import step
from ostree.sysroot.writing import touch_deployments
from ostree.system.files import exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deploying import DeployRequest
    from ostree.sysroot.deployment import Deployment

_NOT_BOOTED = "Cannot stage deployment: Not currently booted into an OSTree system"


def stage(
    sysroot: ChangeableSysroot,
    maker: DeploymentMaker,
    request: DeployRequest,
) -> Deployment:
    """Check a commit out, to be finished at shutdown; it takes the place of what was staged before.

    Until the state file is replaced the old one holds, and from then on the new one.

    Args:
        sysroot: Whose lock is held and whose list is loaded.
        maker: Makes deployments in it.
        request: What to deploy.

    Raises:
        SysrootError: nothing is booted; or naming the step.
    """
    if sysroot.booted is None:
        raise SysrootError(_NOT_BOOTED)
    run_directory = sysroot.settings.run_directory
    before = staged.read_state(run_directory)
    with step("Staging deployment"):
        if is_prepared(run_directory):
            reset(run_directory)
        start_service(run_directory)
        deployment = maker.initialize(request.checksum, request.stateroot)
        deployment.origin = request.origin
        write_origin(deployment, sysroot.root_fd)
        arguments, merge = request.arguments, request.merge
        if arguments is not None:
            arguments.check()
        state = StagedState(
            staged.reference_to(deployment),
            locked=request.lock_finalization,
            merge=None if merge is None else staged.reference_to(merge),
            arguments=None if arguments is None else list(arguments),
            overlay_initrds=list(request.overlay_initrds),
            extra_keys=[] if merge is None else extra_keys_of(merge.entry),
        )
        staged.replace_state(run_directory, state)
        if before is not None and before.target.key != state.target.key:
            _remove(sysroot, before)
        touch_deployments(sysroot.root_fd)
        sysroot.load(force=True)
    return sysroot.deployments[0]


def _remove(sysroot: ChangeableSysroot, before: StagedState) -> None:
    """Remove what was staged, unless it has a boot entry by now."""
    target = before.target
    listed = {d.key for d in sysroot.deployments if not d.staged}
    path = f"ostree/deploy/{target.stateroot}/deploy/{target.name}"
    if target.key not in listed and exists(path, sysroot.root_fd):
        remove_deployment(target.stateroot, target.name, sysroot.root_fd)
