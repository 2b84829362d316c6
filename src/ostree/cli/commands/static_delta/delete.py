"""``ostree static-delta delete``: remove a delta."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError
from ostree.formats.delta.name import DeltaName
from ostree.repo.static_delta import storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Remove it; indexes and summary are brought up to date by other commands."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise OSTreeError("DELTA must be specified")
        storage.delete(repo, DeltaName.parse(args.words[0]))
