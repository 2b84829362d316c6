"""``ostree admin status``: the deployments of a system."""

from __future__ import annotations

from ostree.cli.options import flag
from ostree.cli.status_text import describe_default, format_status, format_status_json
from ostree.cli.sysroot import open_sysroot
from ostree.sysroot.status import read_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    flag("json", "Output JSON", short="J"),
    flag("skip-signatures", "Skip signatures in output", short="S"),
    flag(
        "is-default",
        'Output "default" if booted into the default deployment, otherwise "not-default"',
        short="D",
    ),
)


def run(ctx: Context, args: Arguments) -> None:
    """List them, the one to be booted next first."""
    with open_sysroot(ctx, args) as sysroot:
        if args.flag("json"):
            ctx.stdout.write(format_status_json(read_status(sysroot, need_commits=True)))
        elif args.flag("is-default"):
            ctx.stdout.line(describe_default(sysroot))
        else:
            text = format_status(read_status(sysroot), colour=ctx.stdout.is_terminal)
            ctx.stdout.write(text)
