"""``ostree admin upgrade``: deploy what the system's origin offers, if it is new."""

from __future__ import annotations

import os

from ostree.cli.options import flag, text
from ostree.cli.pulling import show_pull
from ostree.cli.sysroot import open_sysroot
from ostree.errors import SysrootError
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.events import Listener
    from ostree.repo.repository import Repo
    from ostree.sysroot.upgrader import PullRequest

USAGE = ""
OPTIONS = (
    text("os", "OSNAME", "Use a different operating system root than the current one"),
    flag("reboot", "Reboot after a successful upgrade", short="r"),
    flag("allow-downgrade", "Permit deployment of chronologically older trees"),
    text("override-commit", "CHECKSUM", "Deploy CHECKSUM instead of the latest tree"),
    flag("pull-only", "Do not create a deployment, just download"),
    flag("deploy-only", "Do not pull, only deploy"),
    flag("stage", "Enable staging (finalization at reboot time)"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Fetch, compare, deploy, and reboot if asked to."""
    with open_sysroot(ctx, args) as sysroot:
        if args.flag("pull-only") and args.flag("deploy-only"):
            raise SysrootError("Cannot simultaneously specify --pull-only and --deploy-only")
        if args.flag("pull-only") and args.flag("reboot"):
            raise SysrootError("Cannot simultaneously specify --pull-only and --reboot or --kexec")

        def fetch(repo: Repo, request: PullRequest, _listener: Listener) -> None:
            what = request.ref if request.commit is None else f"{request.ref}@{request.commit}"
            options = PullOptions(timestamp_check_from_rev=request.newer_than)
            show_pull(
                ctx,
                lambda listener: pull(repo, request.remote, [what], options, listener),
                only_on_terminal=True,
            )

        result = sysroot.upgrade(
            stateroot=args.text("os"),
            puller=fetch,
            allow_downgrade=args.flag("allow-downgrade"),
            override_commit=args.text("override-commit"),
            pull_only=args.flag("pull-only"),
            deploy_only=args.flag("deploy-only"),
            stage=args.flag("stage") or "OSTREE_EX_STAGE_DEPLOYMENTS" in ctx.environ,
        )
        if result.deployment is None or not args.flag("reboot") or sysroot.booted is None:
            return
    ctx.stdout.flush()
    os.execvp("systemctl", ["systemctl", "reboot"])
