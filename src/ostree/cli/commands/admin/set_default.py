"""``ostree admin set-default``: choose the deployment to be booted next."""

from __future__ import annotations

from ostree.cli.deployment_index import parse_index
from ostree.cli.sysroot import open_sysroot
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = "INDEX"
OPTIONS: tuple[Option, ...] = ()


def run(ctx: Context, args: Arguments) -> None:
    """Move it to the front of the list."""
    with open_sysroot(ctx, args) as sysroot:
        if not args.words:
            raise UsageError("INDEX must be specified")
        sysroot.set_default(parse_index(args.words[0]))
