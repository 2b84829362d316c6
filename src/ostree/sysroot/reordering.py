"""One deployment less, or another as the one to be booted next (deployments §18.5, §18.6)."""

from __future__ import annotations

from ostree.errors import NotFoundError, SysrootError
from ostree.events import Message
from ostree.sysroot.deployment_list import check_index, find_merge, remove_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment


def undeploy(sysroot: ChangeableSysroot, index: int) -> None:
    """Take a deployment out of the list and remove what only it needed.

    Args:
        sysroot: Its lock is held and its list is loaded.
        index: Where the deployment is.

    Raises:
        SysrootError: there is no such place, or the deployment is running.
    """
    deployments = sysroot.deployments
    check_index(deployments, index)
    gone = deployments[index]
    if gone is sysroot.booted:
        raise SysrootError(f"Cannot undeploy currently booted deployment {index}")
    sysroot.write_deployments(remove_at(deployments, index))
    sysroot.clean_up()
    sysroot.on_event(Message(f"Deleted deployment {gone.name}"))


def make_default(sysroot: ChangeableSysroot, index: int) -> Deployment:
    """Move a deployment to the front of the list; nothing happens if it is there.

    Args:
        sysroot: Its lock is held and its list is loaded.
        index: Where the deployment is now.

    Raises:
        SysrootError: there is no such place.
    """
    deployments = sysroot.deployments
    check_index(deployments, index)
    chosen = deployments[index]
    if index == 0:
        return chosen
    sysroot.write_deployments([chosen, *(d for d in deployments if d is not chosen)])
    sysroot.clean_up()
    return next(d for d in sysroot.deployments if d.key == chosen.key)


def find_previous(
    deployments: Sequence[Deployment], booted: Deployment | None, stateroot: str
) -> Deployment:
    """The deployment of a stateroot that was the default before its current one.

    The current one is the running one or, where none of the stateroot is, the first.

    Raises:
        NotFoundError: there is none to go back to.
    """
    current = find_merge(deployments, booted, stateroot)
    if current is None:
        raise NotFoundError(f"No deployment for stateroot '{stateroot}'")
    after = deployments[deployments.index(current) + 1 :]
    previous = next((d for d in after if d.stateroot == stateroot), None)
    if previous is not None:
        return previous
    hint = None
    if deployments[0] is not current:
        hint = (
            f"The default is deployment 0; to go back to deployment {current.index}, run "
            f"'ostree admin set-default {current.index}'"
        )
    raise NotFoundError(f"No rollback deployment for stateroot '{stateroot}'", hint=hint)
