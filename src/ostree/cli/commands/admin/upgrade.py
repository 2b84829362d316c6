"""``ostree admin upgrade``: deploy what the system's origin offers, if it is new."""

from __future__ import annotations

from ostree.cli.linting import LINT, wants_lint
from ostree.cli.options import flag, text
from ostree.cli.sysroot import open_sysroot
from ostree.cli.upgrading import prepare_kexec, reboot, showing_puller
from ostree.errors import SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    text("os", "OSNAME", "Use a different operating system root than the current one"),
    flag("reboot", "Reboot after a successful upgrade", short="r"),
    flag("kexec", "Load new deployment into kexec after a successful upgrade", short="k"),
    flag("allow-downgrade", "Permit deployment of chronologically older trees"),
    text("override-commit", "CHECKSUM", "Deploy CHECKSUM instead of the latest tree"),
    flag("pull-only", "Do not create a deployment, just download"),
    flag("deploy-only", "Do not pull, only deploy"),
    flag("stage", "Enable staging (finalization at reboot time)"),
    LINT,
)


def run(ctx: Context, args: Arguments) -> None:
    """Fetch, compare, deploy, and reboot if asked to."""
    with open_sysroot(ctx, args) as sysroot:
        if args.flag("pull-only") and args.flag("deploy-only"):
            raise SysrootError("Cannot simultaneously specify --pull-only and --deploy-only")
        if args.flag("pull-only") and (args.flag("reboot") or args.flag("kexec")):
            raise SysrootError("Cannot simultaneously specify --pull-only and --reboot or --kexec")
        result = sysroot.upgrade(
            stateroot=args.text("os"),
            puller=showing_puller(ctx),
            allow_downgrade=args.flag("allow-downgrade"),
            override_commit=args.text("override-commit"),
            pull_only=args.flag("pull-only"),
            deploy_only=args.flag("deploy-only"),
            stage=args.flag("stage") or "OSTREE_EX_STAGE_DEPLOYMENTS" in ctx.environ,
            lint=wants_lint(args),
        )
        if result.deployment is not None and args.flag("kexec"):
            prepare_kexec(sysroot, result.deployment)
        if result.deployment is None or not args.flag("reboot") or sysroot.booted is None:
            return
    reboot(ctx)
