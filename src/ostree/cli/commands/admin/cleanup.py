"""``ostree admin cleanup``: remove what no deployment needs."""

from __future__ import annotations

from ostree.cli.sysroot import open_sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = ""
OPTIONS: tuple[Option, ...] = ()


def run(ctx: Context, args: Arguments) -> None:
    """Remove it."""
    with open_sysroot(ctx, args) as sysroot:
        sysroot.cleanup()
