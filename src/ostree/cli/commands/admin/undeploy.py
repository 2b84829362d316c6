"""``ostree admin undeploy``: remove a deployment."""

from __future__ import annotations

from ostree.cli.sysroot import open_sysroot
from ostree.errors import SysrootError, UsageError

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


def parse_index(text: str) -> int:
    """A place in the list of deployments.

    Raises:
        SysrootError: ``Invalid index: X``.
    """
    if not (text.isascii() and text.isdigit()):
        raise SysrootError(f"Invalid index: {text}")
    return int(text)
