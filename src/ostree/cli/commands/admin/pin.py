"""``ostree admin pin``: make a deployment stay until it is unpinned."""

from __future__ import annotations

from ostree.cli.deployment_index import parse_index
from ostree.cli.options import flag
from ostree.cli.sysroot import open_sysroot
from ostree.errors import UsageError
from ostree.sysroot.pinning import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "INDEX"
OPTIONS = (flag("unpin", "Unset pin", short="u"),)


def run(ctx: Context, args: Arguments) -> None:
    """Pin or unpin one after the other."""
    pinned = not args.flag("unpin")
    state = "pinned" if pinned else "unpinned"
    with open_sysroot(ctx, args) as sysroot, sysroot.lock():
        if not args.words:
            raise UsageError("INDEX must be specified")
        for word in args.words:
            changed = sysroot.pin(word if word in KINDS else parse_index(word), pinned=pinned)
            ctx.stdout.line(f"Deployment {word} is {'now' if changed else 'already'} {state}")
