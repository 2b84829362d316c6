"""What there is to say about the deployments of a system (deployments §3.1, §18.4)."""

from __future__ import annotations

from typing import NamedTuple

from ostree.errors import ObjectNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.sysroot import Sysroot


class DeploymentStatus(NamedTuple):
    """What is said about one deployment; ``pending`` and ``rollback`` as of a booted system."""

    deployment: Deployment
    booted: bool
    pending: bool
    rollback: bool
    version: str | None
    source_title: str | None


def read_status(sysroot: Sysroot, *, need_commits: bool = False) -> list[DeploymentStatus]:
    """The facts about all deployments.

    Args:
        sysroot: Which one.
        need_commits: Whether a commit that cannot be loaded is an error.

    Raises:
        ObjectNotFoundError: a commit is missing, and they are needed.
    """
    booted = sysroot.booted
    pending = rollback = None
    if booted is not None:
        pending, rollback = sysroot.pending(), sysroot.rollback()
    result = []
    for deployment in sysroot.deployments:
        version = title = None
        try:
            commit = sysroot.repo.load_commit(deployment.checksum)
        except ObjectNotFoundError:
            if need_commits:
                raise
        else:
            version = commit.metadata_value("version", "s")
            title = commit.metadata_value("ostree.source-title", "s")
        result.append(
            DeploymentStatus(
                deployment=deployment,
                booted=deployment is booted,
                pending=deployment is pending,
                rollback=deployment is rollback,
                version=version,
                source_title=title,
            )
        )
    return result
