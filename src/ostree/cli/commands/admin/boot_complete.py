"""``ostree admin boot-complete``: what the boot after a staged deployment does."""

from __future__ import annotations

from ostree.cli.sysroot import is_ostree_booted, open_sysroot
from ostree.errors import SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = ""
OPTIONS: tuple[Option, ...] = ()

#: Elsewhere there is nothing to do, whatever the options.
applies = is_ostree_booted


def run(ctx: Context, args: Arguments) -> None:
    """Report that the last shutdown failed, once."""
    from ostree.sysroot.finalizing import complete_boot

    if not ctx.environ.get("INVOCATION_ID"):
        raise SysrootError(
            "INVOCATION_ID is not set: this command is run by ostree-boot-complete.service"
        )
    with open_sysroot(ctx, args) as sysroot:
        complete_boot(sysroot)
