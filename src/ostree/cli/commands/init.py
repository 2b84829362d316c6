"""``ostree init``: make a repository."""

from __future__ import annotations

from ostree.cli.command import MissingRepositoryError
from ostree.cli.options import REPO, text
from ostree.repo.repository import Repo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    REPO,
    text(
        "mode",
        "",
        "Initialize repository in given mode (bare, bare-user, bare-user-only, archive)",
    ),
    text(
        "collection-id",
        "COLLECTION-ID",
        "Globally unique ID for this repository as an collection of refs for redistribution to "
        "other repositories",
    ),
)


def run(_ctx: Context, args: Arguments) -> None:
    """Make it, or leave one that exists alone.  Neither directory nor environment stand in."""
    path = args.text("repo")
    if not path:
        raise MissingRepositoryError("Command requires a --repo argument")
    mode = args.text("mode") or "bare"
    Repo.create(path, mode, collection_id=args.text("collection-id")).close()
