"""``ostree admin lock-finalization``: keep the shutdown from finishing what is staged."""

from __future__ import annotations

from ostree.cli.options import flag
from ostree.cli.sysroot import open_sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (flag("unlock", "Unlock finalization", short="u"),)

_MESSAGES = {
    (True, True): "Staged deployment is now finalization locked",
    (True, False): "Staged deployment is already finalization locked",
    (False, True): "Staged deployment is now queued to apply on shutdown",
    (False, False): "Staged deployment is already prepared for finalization",
}


def run(ctx: Context, args: Arguments) -> None:
    """Lock it, or let it go ahead."""
    locked = not args.flag("unlock")
    with open_sysroot(ctx, args) as sysroot:
        changed = sysroot.lock_finalization(locked=locked)
        ctx.stdout.line(_MESSAGES[locked, changed])
