"""``ostree admin health-check``: whether the system is well, and the boot loader's count with it."""

from __future__ import annotations

from ostree.cli.options import flag
from ostree.cli.sysroot import is_ostree_booted, open_sysroot
from ostree.errors import SysrootError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.sysroot.health import Outcome

USAGE = ""
OPTIONS = (flag("skip-checks", "Take the system for well without running any program"),)


def run(ctx: Context, args: Arguments) -> None:
    """Run the programs that decide, and tell the boot loader if all is well."""
    from ostree.sysroot.boot_success import accept_boot
    from ostree.sysroot.health import check_health, run_check, run_followers, unhealthy

    if args.words:
        raise UsageError("No arguments are expected")
    if not is_ostree_booted(ctx):
        raise SysrootError("Not currently booted into an OSTree system")
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        result = "ok" if outcome.reason is None else outcome.reason
        ctx.stdout.line(f"{outcome.path}: {result}")
        ctx.stdout.flush()

    def check(path: str) -> str | None:
        return run_check(path, ctx.environ)

    if not args.flag("skip-checks") and not check_health("/", check, tell):
        run_followers("/", check, tell, healthy=False)
        raise unhealthy(outcomes)
    with open_sysroot(ctx, args) as sysroot, sysroot.changing():
        accept_boot(sysroot)
    if not args.flag("skip-checks"):
        run_followers("/", check, tell, healthy=True)
