"""``ostree remote delete``: forget a remote."""

from __future__ import annotations

from ostree.cli.commands.remote.target import OPTIONS as TARGET_OPTIONS
from ostree.cli.commands.remote.target import open_target
from ostree.cli.options import flag
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "NAME"
OPTIONS = (
    flag("if-exists", "Do nothing if the provided remote does not exist"),
    *TARGET_OPTIONS,
)


def run(ctx: Context, args: Arguments) -> None:
    """Remove its configuration and keys."""
    with open_target(ctx, args) as repo:
        if not args.words:
            raise UsageError("NAME must be specified")
        name = args.words[0]
        if args.flag("if-exists") and not repo.remotes.has(name):
            return
        repo.remotes.delete(name)
