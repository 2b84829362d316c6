"""What the shutdown does with a staged deployment, and the next boot with its failure (§11.4-11.5)."""

from __future__ import annotations

import os
import signal

from ostree.errors import OSTreeError, SysrootError
from ostree.formats.sysroot_config import parse_config
from ostree.sysroot import staged
from ostree.sysroot.creating import DeploymentMaker
from ostree.sysroot.deployment_list import Retention, plan_list
from ostree.sysroot.journal import log_finalizing, log_not_finalizing
from ostree.sysroot.layout import MAX_TEXT
from ostree.sysroot.overlay_initrds import overlay_path
from ostree.sysroot.step import describe_error, step
from ostree.system.files import make_directories, open_directory, read_file, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.staged_state import StagedState
    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment

_STAMP = "boot/ostree/finalize-failure.stamp"


def finalize_staged(sysroot: ChangeableSysroot) -> Deployment | None:
    """Merge ``/etc`` and make the staged deployment the one to be booted next.

    Why it failed is kept for the next boot.  Interrupted, it can be repeated: the deployment
    stays staged until it is in the list.

    Returns:
        The deployment; None if none is staged, or it is locked.

    Raises:
        OSTreeError: the list is as it was.
    """
    try:
        with sysroot.changing():
            sysroot.load()
            deployment = _finalize(sysroot)
            _forget_failure(sysroot.root_fd)
    except OSTreeError as error:
        _record_failure(sysroot.root_fd, str(error))
        raise
    return deployment


def _finalize(sysroot: ChangeableSysroot) -> Deployment | None:
    state = _read_waiting(sysroot)
    if state is None:
        return None
    waiting, *current = sysroot.deployments
    log_finalizing(sysroot.on_event, waiting)
    merge = find_merge(state, current)
    new = _without_staging(waiting, state, merge, parse_config(sysroot.repo.config.keyfile))
    maker = _maker(sysroot)
    with step("Finalizing deployment"):
        if staged.begin_finishing(sysroot.settings.run_directory):
            # Part of a merge is in there, of what /etc was then.
            maker.renew_etc(new)
        maker.finalize(new, merge)
    wanted = plan_list(current, new, booted=sysroot.booted, merge=merge, retention=Retention())
    sysroot.write_deployments(wanted)
    sysroot.clean_up(prune=False)
    return next(d for d in sysroot.deployments if d.key == new.key)


def _read_waiting(sysroot: ChangeableSysroot) -> StagedState | None:
    """What is to be done to the first deployment of the list; None if that is nothing."""
    run_directory = sysroot.settings.run_directory
    listed = sysroot.deployments
    state = staged.read_state(run_directory)
    if state is not None and state.target.key in {d.key for d in listed if not d.staged}:
        # Interrupted when nothing was left to do but this.
        staged.forget_finished(run_directory)
        state = None
    if state is None or not listed or not listed[0].staged:
        log_not_finalizing(sysroot.on_event, "no staged deployment")
        return None
    if listed[0].finalization_locked:
        log_not_finalizing(sysroot.on_event, "deployment is locked for finalization")
        return None
    return state


def _without_staging(
    waiting: Deployment, state: StagedState, merge: Deployment | None, config: SysrootConfig
) -> Deployment:
    """The deployment as it will be in the list."""
    new = waiting.placed(0, -1)
    new.staged = False
    new.entry = new.entry.copy()
    new.entry.overlay_initrds = [
        overlay_path(overlay, bootprefix=config.bootprefix) for overlay in state.overlay_initrds
    ]
    if state.arguments is None and merge is not None:
        new.entry.set("options", str(merge.kernel_arguments))
    return new


def _maker(sysroot: ChangeableSysroot) -> DeploymentMaker:
    booted = sysroot.booted
    return DeploymentMaker(
        sysroot.root_fd,
        sysroot.repo,
        sysroot.settings,
        booted_stateroot=None if booted is None else booted.stateroot,
        on_event=sysroot.on_event,
        sync_files=not sysroot.disk.reaches(sysroot.root_fd),
    )


def find_merge(state: StagedState, current: list[Deployment]) -> Deployment | None:
    """The deployment to take ``/etc`` from; None if the staged one starts afresh.

    Raises:
        SysrootError: it is not in the list any more.
    """
    if state.merge is None:
        return None
    for deployment in current:
        if deployment.key == state.merge.key:
            return deployment
    raise SysrootError(f"Failed to find merge deployment {state.merge.name} for staged")


# the failure ----------------------------------------------------------------------------------


def _record_failure(root_fd: int, text: str) -> None:
    try:
        make_directories("boot/ostree", root_fd, 0o755)
        replace_file(_STAMP, text.encode("utf-8", "surrogateescape"), root_fd)
    except OSError:
        # The failure itself is what is reported; a full or read-only /boot may be its reason.
        return


def _forget_failure(root_fd: int) -> None:
    try:
        os.unlink(_STAMP, dir_fd=root_fd)
    except FileNotFoundError:
        return


def complete_boot(sysroot: ChangeableSysroot) -> None:
    """Tell, once, that the last shutdown could not finish a deployment.

    Otherwise, after a soft reboot, what was prepared for it becomes the state of this boot.

    Raises:
        SysrootError: with the failure of the last shutdown.
    """
    with sysroot.changing():
        try:
            data = read_file(_STAMP, sysroot.root_fd, limit=MAX_TEXT)
        except FileNotFoundError:
            _adopt_soft_reboot(sysroot.settings.run_directory)
            return
        _forget_failure(sysroot.root_fd)
    text = data.decode("utf-8", "replace")
    raise SysrootError(f"ostree-finalize-staged.service failed on previous boot: {text}")


def _adopt_soft_reboot(run_directory: str) -> None:
    try:
        os.rename(f"{run_directory}/ostree/nextroot-booted", f"{run_directory}/ostree-booted")
    except FileNotFoundError:
        return


# keeping /boot mounted ------------------------------------------------------------------------


def hold_boot(sysroot: ChangeableSysroot) -> None:
    """Keep ``/boot`` busy until a signal ends the process, so that it is not unmounted meanwhile.

    Raises:
        SysrootError: there is no ``/boot``.
    """
    sysroot.load()
    try:
        fd = open_directory("boot", dir_fd=sysroot.root_fd)
    except OSError as error:
        raise SysrootError(describe_error(error)) from error
    try:
        signal.pause()
    finally:
        os.close(fd)
