"""``ostree admin switch``: follow another ref, and deploy what it leads to."""

from __future__ import annotations

from ostree.cli.linting import LINT, wants_lint
from ostree.cli.options import flag, text
from ostree.cli.sysroot import open_sysroot
from ostree.cli.upgrading import prepare_kexec, reboot, showing_puller
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "REFSPEC"
OPTIONS = (
    flag("reboot", "Reboot after switching trees", short="r"),
    flag("kexec", "Load new deployment into kexec after switching trees", short="k"),
    text("os", "OSNAME", "Use a different operating system root than the current one"),
    LINT,
)


def run(ctx: Context, args: Arguments) -> None:
    """Fetch, deploy, forget the old ref, and reboot if asked to."""
    with open_sysroot(ctx, args) as sysroot:
        if not args.words:
            raise UsageError("REFSPEC must be specified")
        deployment = sysroot.switch(
            args.words[0],
            stateroot=args.text("os"),
            puller=showing_puller(ctx),
            stage="OSTREE_EX_STAGE_DEPLOYMENTS" in ctx.environ,
            lint=wants_lint(args),
        )
        if args.flag("kexec"):
            prepare_kexec(sysroot, deployment)
        if not args.flag("reboot") or sysroot.booted is None:
            return
    reboot(ctx)
