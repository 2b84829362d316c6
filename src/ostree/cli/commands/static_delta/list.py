"""``ostree static-delta list``: the deltas of a repository."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.repo.static_delta import storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Print their names, one a line."""
    with open_repo(ctx, args) as repo:
        names = [str(name) for name in storage.names(repo)]
    for line in names or ["(No static deltas)"]:
        ctx.stdout.line(line)
