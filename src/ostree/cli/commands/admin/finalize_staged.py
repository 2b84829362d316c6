"""``ostree admin finalize-staged``: what the shutdown does with a staged deployment."""

from __future__ import annotations

from ostree.cli.options import flag
from ostree.cli.sysroot import is_ostree_booted, open_sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (flag("hold", "Hold /boot open during finalization", hidden=True),)

#: Elsewhere there is nothing to do, whatever the options.
applies = is_ostree_booted


def run(ctx: Context, args: Arguments) -> None:
    """Finish it, or keep ``/boot`` mounted while another process does."""
    from ostree.sysroot.finalizing import hold_boot

    with open_sysroot(ctx, args) as sysroot:
        if args.flag("hold"):
            hold_boot(sysroot)
        else:
            sysroot.finalize_staged()
