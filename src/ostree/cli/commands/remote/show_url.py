"""``ostree remote show-url``: where a remote is."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "NAME"
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Print its URL."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("NAME must be specified")
        ctx.stdout.line(repo.remotes.get(args.words[0]).require_url())
