"""``ostree admin rollback``: boot the deployment before the current one next."""

from __future__ import annotations

from ostree.cli.deployment_json import deployment_json
from ostree.cli.json_output import JSON, print_json
from ostree.cli.options import text
from ostree.cli.sysroot import open_sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    text("os", "OSNAME", "Use a different operating system root than the current one"),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Make it the default; the others stay in their order behind it."""
    json = args.flag("json")
    with open_sysroot(ctx, args, quiet=json) as sysroot:
        before = sysroot.deployments
        chosen = sysroot.roll_back(args.text("os"))
        if not json:
            ctx.stdout.line(f"Deployment {chosen.stateroot} {chosen.name} is now the default")
            return
        print_json(
            ctx,
            {
                "deployment": deployment_json(sysroot, chosen),
                "previous_index": next(d.index for d in before if d.key == chosen.key),
            },
        )
