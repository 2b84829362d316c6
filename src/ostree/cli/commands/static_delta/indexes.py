"""``ostree static-delta indexes``: which commits have a delta index."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.repo.static_delta.indexes import targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Print their checksums, one a line."""
    with open_repo(ctx, args) as repo:
        lines: list[str] = list(targets(repo))
    for line in lines or ["(No static deltas indexes)"]:
        ctx.stdout.line(line)
