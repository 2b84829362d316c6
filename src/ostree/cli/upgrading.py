"""What commands that fetch and deploy have in common: the pull with its progress, the reboot."""

from __future__ import annotations

import os

from ostree.cli.pulling import show_pull
from ostree.errors import SysrootError
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.events import Listener
    from ostree.repo.repository import Repo
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.sysroot import Sysroot
    from ostree.sysroot.upgrader import Puller, PullRequest


def showing_puller(ctx: Context) -> Puller:
    """A puller that shows its progress on a terminal."""

    def fetch(repo: Repo, request: PullRequest, _listener: Listener) -> None:
        options = PullOptions(timestamp_check_from_rev=request.newer_than)
        show_pull(
            ctx,
            lambda listener: pull(repo, request.remote, [request.wanted], options, listener),
            only_on_terminal=True,
        )

    return fetch


def prepare_kexec(sysroot: Sysroot, deployment: Deployment) -> None:
    """Load the kernel of a new deployment, unless it is staged or of a system that does not run.

    Raises:
        OSTreeError: it cannot be loaded.
    """
    if sysroot.booted is not None and not deployment.staged:
        sysroot.prepare_kexec(deployment)


def reboot(ctx: Context) -> None:
    """Have the system manager reboot; does not come back unless there is none.

    Raises:
        SysrootError: it cannot be run.
    """
    ctx.stdout.flush()
    try:
        os.execvp("systemctl", ["systemctl", "reboot"])
    except OSError as error:
        raise SysrootError(f"systemctl: {error.strerror}") from error
