"""Changes of where a deployment comes from (deployments §2.4, §18.8)."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.formats.origin import new_origin
from ostree.formats.refspec import check_remote_name, parse_refspec
from ostree.sysroot.creating import write_origin
from ostree.sysroot.deployment_list import check_index
from ostree.sysroot.writing import touch_deployments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.keyfile import KeyFile
    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment


def replace_origin(sysroot: ChangeableSysroot, deployment: Deployment, origin: KeyFile) -> None:
    """Write the origin file of a deployment anew, and tell who watches the list.

    Args:
        sysroot: Its lock is held.
        deployment: Of its list.
        origin: The file's new content.
    """
    deployment.origin = origin
    write_origin(deployment, sysroot.root_fd)
    touch_deployments(sysroot.root_fd)


def follow_remote(
    sysroot: ChangeableSysroot,
    remote: str,
    options: Sequence[tuple[str, str]],
    *,
    branch: str | None,
    index: int | None,
) -> str:
    """Make a deployment follow a remote; its new refspec.

    Args:
        sysroot: Its lock is held and its list is loaded.
        remote: Is added if there is none of that name.
        options: What the new remote is like.
        branch: What to follow there; the branch it follows now if None.
        index: Which deployment; the running one if None.

    Raises:
        SysrootError: there is no such deployment, or no branch.
        FormatError: the names make no refspec.
    """
    deployment = _deployment_at(sysroot, index)
    if branch is None:
        if deployment.refspec is None:
            raise SysrootError("No host refspec found, branch is required")
        branch = parse_refspec(deployment.refspec)[1]
    refspec = f"{remote}:{branch}"
    check_remote_name(remote)
    # A remote that nothing follows does no harm, an origin that nothing can read does.
    parse_refspec(refspec)
    if not sysroot.repo.remotes.has(remote):
        sysroot.repo.remotes.add(remote, options)
    replace_origin(sysroot, deployment, new_origin(refspec))
    return refspec


def _deployment_at(sysroot: ChangeableSysroot, index: int | None) -> Deployment:
    if index is not None:
        check_index(sysroot.deployments, index)
        return sysroot.deployments[index]
    if sysroot.booted is None:
        raise SysrootError("Not currently booted into an OSTree system")
    return sysroot.booted
