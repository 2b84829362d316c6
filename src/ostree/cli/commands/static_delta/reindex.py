"""``ostree static-delta reindex``: bring delta indexes up to date."""

from __future__ import annotations

from ostree.cli.options import REPO, text
from ostree.cli.repository import open_repo
from ostree.repo.static_delta.indexes import reindex
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (REPO, text("to", "REV", "Only update delta index to revision REV"))


def run(ctx: Context, args: Arguments) -> None:
    """Write the indexes whose deltas have changed."""
    with open_repo(ctx, args) as repo:
        to = args.text("to")
        reindex(repo, only=Checksum(to) if to is not None else None)
