"""``ostree admin undeploy``: remove a deployment."""

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
    """Take it out of the list and remove what only it needed."""
    with open_sysroot(ctx, args) as sysroot:
        if not args.words:
            raise UsageError("INDEX must be specified")
        sysroot.undeploy(parse_index(args.words[0]))
