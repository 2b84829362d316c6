"""``ostree remote list``: the names of all remotes."""

from __future__ import annotations

from ostree.cli.options import REPO, flag
from ostree.cli.repository import open_repo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (REPO, flag("show-urls", "Show remote URLs in list", short="u"))


def run(ctx: Context, args: Arguments) -> None:
    """Print them, with their URLs if asked to."""
    with open_repo(ctx, args) as repo:
        names = repo.remotes.names()
        if not args.flag("show-urls"):
            for name in names:
                ctx.stdout.line(name)
            return
        width = max(map(len, names), default=0)
        for name in names:
            ctx.stdout.line(f"{name.ljust(width)}  {repo.remotes.get(name).require_url()}")
