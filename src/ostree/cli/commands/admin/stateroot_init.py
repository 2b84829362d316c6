"""``ostree admin stateroot-init``: make a place for deployments with a ``/var`` of its own."""

from __future__ import annotations

from ostree.cli.sysroot import open_sysroot
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = "STATEROOT"
OPTIONS: tuple[Option, ...] = ()


def run(ctx: Context, args: Arguments) -> None:
    """Make it."""
    with open_sysroot(ctx, args) as sysroot:
        sysroot.ensure_initialized()
        if not args.words:
            raise UsageError("STATEROOT must be specified")
        name = args.words[0]
        sysroot.init_stateroot(name)
        ctx.stdout.line(f"ostree/deploy/{name} initialized as OSTree stateroot")
