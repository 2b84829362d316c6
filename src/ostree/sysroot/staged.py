"""The deployment that waits for the shutdown to be finished, as the list shows it (deployments §11).

``/run/ostree/staged-deployment`` is all there is to know of it; no boot loader does.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager

from ostree.errors import FormatError, SysrootError
from ostree.formats.boot_entry import BootEntry
from ostree.formats.staged_state import DeploymentReference, StagedState
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.layout import MAX_TEXT
from ostree.sysroot.loading import read_origin
from ostree.sysroot.step import step
from ostree.system.files import exists, make_directories, open_directory, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


_STATE = "ostree/staged-deployment"
_ASIDE = "ostree/staged-deployment.aside"
_LOCKED = "ostree/staged-deployment-locked"
_BEGUN = "ostree/staged-deployment-begun"


def read_state(run_directory: str) -> StagedState | None:
    """What the state file says, or None if there is none.

    Raises:
        FormatError: it is malformed.
    """
    try:
        data = read_file(f"{run_directory}/{_STATE}", limit=MAX_TEXT)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise FormatError(f"File is larger than {MAX_TEXT} bytes") from error
        raise
    return StagedState.decode(data)


def replace_state(run_directory: str, state: StagedState) -> None:
    """Stage another deployment: whatever was begun was about what was staged before."""
    if state.locked:
        set_lock_file(run_directory, locked=True)
    write_state(run_directory, state)
    if not state.locked:
        set_lock_file(run_directory, locked=False)
    _unlink_if_there(f"{run_directory}/{_BEGUN}")


def write_state(run_directory: str, state: StagedState) -> None:
    """Replace the state file: from now on this is what the shutdown finishes."""
    from ostree.system.files import replace_file

    fd = open_directory(run_directory)
    try:
        make_directories("ostree", fd, 0o755)
        # Memory: a crash of the machine forgets the file in any case.
        replace_file(_STATE, state.encode(), fd, sync=False)
    finally:
        os.close(fd)


def load_staged(
    root_fd: int, run_directory: str, listed: Sequence[Deployment] = ()
) -> Deployment | None:
    """The staged deployment; None if there is none, or its directory is gone.

    Args:
        root_fd: The sysroot.
        run_directory: Where the state of the running system is.
        listed: The deployments that have a boot entry.  Finishing the staged one was interrupted
            after it got one if it is among them; it is not staged any more then.

    Raises:
        FormatError: the state file is malformed.
    """
    with step("Loading staged deployment"):
        state = read_state(run_directory)
        if state is None or state.target.key in {d.key for d in listed}:
            return None
        deployment = deployment_of(state)
        if not exists(deployment.path, root_fd):
            return None
        deployment.finalization_locked = state.locked or has_lock_file(run_directory)
        deployment.origin = read_origin(deployment, root_fd)
    return deployment


def deployment_of(state: StagedState) -> Deployment:
    """The deployment that a state file is about, without its origin."""
    entry = BootEntry()
    if state.arguments is not None:
        entry.set("options", " ".join(state.arguments))
    for key, value in state.extra_keys:
        entry.set(key, value)
    entry.overlay_initrds = [
        f"/ostree/initramfs-overlays/{checksum}.img" for checksum in state.overlay_initrds
    ]
    target = state.target
    return Deployment(
        stateroot=target.stateroot,
        checksum=target.checksum,
        serial=target.serial,
        bootcsum=target.bootcsum,
        entry=entry,
        staged=True,
    )


def reference_to(deployment: Deployment) -> DeploymentReference:
    """How the state file names a deployment."""
    return DeploymentReference(
        deployment.stateroot, deployment.checksum, deployment.serial, deployment.bootcsum
    )


# the lock -------------------------------------------------------------------------------------


def has_lock_file(run_directory: str) -> bool:
    """Whether finishing is forbidden by a file of its own, the only way before 2023.8."""
    return os.path.exists(f"{run_directory}/{_LOCKED}")


def set_lock_file(run_directory: str, *, locked: bool) -> None:
    """Forbid or allow finishing in the older way."""
    path = f"{run_directory}/{_LOCKED}"
    if locked:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640))
    else:
        _unlink_if_there(path)


def set_finalization_lock(run_directory: str, *, locked: bool) -> bool:
    """Forbid or allow the shutdown to finish the staged deployment.

    Returns:
        Whether that changed anything.

    Raises:
        SysrootError: nothing is staged.
    """
    state = read_state(run_directory)
    if state is None:
        raise SysrootError("No staged deployment")
    if (state.locked or has_lock_file(run_directory)) == locked:
        return False
    state.locked = locked
    # Either of the two locks it, so that there is one moment at which it is, or is not any more.
    write_state(run_directory, state)
    set_lock_file(run_directory, locked=locked)
    return True


# discarding -----------------------------------------------------------------------------------


@contextmanager
def set_aside(run_directory: str, is_replaced: Callable[[], bool]) -> Iterator[None]:
    """While another list is written, nothing is staged; if that fails, it is staged again.

    Killed on the way, the new list must not be topped by what it replaces.

    Args:
        run_directory: Where the state of the running system is.
        is_replaced: After a failure, whether the new list is active all the same.
    """
    state, aside = f"{run_directory}/{_STATE}", f"{run_directory}/{_ASIDE}"
    os.rename(state, aside)
    try:
        yield
    except BaseException:
        if is_replaced():
            _forget_aside(run_directory)
        else:
            os.rename(aside, state)
        raise
    _forget_aside(run_directory)


def _forget_aside(run_directory: str) -> None:
    for name in (_ASIDE, _LOCKED, _BEGUN):
        _unlink_if_there(f"{run_directory}/{name}")


def begin_finishing(run_directory: str) -> bool:
    """Note that finishing begins; whether it was begun before, and interrupted."""
    path = f"{run_directory}/{_BEGUN}"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return True
    return False


def forget_finished(run_directory: str) -> None:
    """The staged deployment has its boot entry: the shutdown has nothing to do any more."""
    for name in (_STATE, _LOCKED, _BEGUN):
        _unlink_if_there(f"{run_directory}/{name}")


def _unlink_if_there(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
