"""``ostree admin config-diff``: what was changed in ``/etc``."""

from __future__ import annotations

from ostree.cli.options import text
from ostree.cli.sysroot import open_sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (text("os", "OSNAME", "Use a different operating system root than the current one"),)


def run(ctx: Context, args: Arguments) -> None:
    """List modified, removed and added files, in this order."""
    with open_sysroot(ctx, args) as sysroot:
        sysroot.require_privileges()
        changes = sysroot.diff_config(args.text("os"))
    for letter, paths in (("M", changes.modified), ("D", changes.removed), ("A", changes.added)):
        for path in paths:
            ctx.stdout.line(f"{letter}    {path}")
