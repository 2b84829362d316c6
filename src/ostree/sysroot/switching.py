"""Another ref, or the same ref of another remote, to follow (deployments §13)."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.events import Message
from ostree.formats.origin import new_origin
from ostree.formats.refspec import format_refspec, parse_refspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.sysroot import Sysroot
    from ostree.sysroot.upgrader import Upgrader


def plan_switch(current: str, wanted: str) -> str:
    """The refspec to follow from now on.

    Args:
        current: The refspec that is followed.
        wanted: A refspec; only ``REMOTE:``, which means the same ref from there; or only a ref,
            which means the same remote.

    Raises:
        FormatError: ``wanted`` is none of these.
        SysrootError: it is what is followed already.
    """
    current_remote, current_ref = parse_refspec(current)
    remote: str | None
    if wanted.endswith(":"):
        remote, ref = wanted[:-1], current_ref
    else:
        remote, ref = parse_refspec(wanted)
        remote = current_remote if remote is None else remote
    refspec = format_refspec(remote, ref)
    if parse_refspec(refspec) == (current_remote, current_ref):
        raise SysrootError(f"Old and new refs are equal: {refspec}")
    return refspec


def switch(upgrader: Upgrader, sysroot: Sysroot, wanted: str) -> Deployment:
    """Follow something else from now on, and deploy it.

    Args:
        upgrader: Of the stateroot.
        sysroot: Its lock is held and its list is loaded.
        wanted: See :func:`plan_switch`.

    Raises:
        OSTreeError: as the pull and the deployment.
    """
    old = upgrader.refspec
    upgrader.origin = new_origin(plan_switch(old, wanted))
    commit = upgrader.fetch(None, allow_downgrade=True, fetching=True)
    deployment = upgrader.deploy(commit)
    # A branch that ended may lead back to where we come from.
    if upgrader.refspec != old:
        sysroot.on_event(Message(f"Deleting ref '{old}'"))
        sysroot.repo.refs.set(old, None)
    return deployment
