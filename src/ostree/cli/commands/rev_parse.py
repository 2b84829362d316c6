"""``ostree rev-parse``: the commits that revisions mean."""

from __future__ import annotations

from ostree.cli.options import REPO, flag
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo
    from ostree.types import Checksum

USAGE = "REV"
OPTIONS = (
    REPO,
    flag(
        "single",
        "If the repository has exactly one commit, then print it; any other case will result in "
        "an error",
        short="S",
    ),
)


def run(ctx: Context, args: Arguments) -> None:
    """Print one checksum for each argument, or that of the only commit."""
    with open_repo(ctx, args) as repo:
        if args.flag("single"):
            if args.words:
                raise UsageError("Cannot specify arguments with --single")
            ctx.stdout.line(_only_commit(repo))
            return
        if not args.words:
            raise UsageError("REV must be specified")
        for rev in args.words:
            ctx.stdout.line(repo.resolve(rev))


def _only_commit(repo: Repo) -> Checksum:
    found: Checksum | None = None
    for checksum in repo.commits():
        if found is not None and checksum != found:
            raise OSTreeError("Multiple commit objects found")
        found = checksum
    if found is None:
        raise OSTreeError("No commit objects found")
    return found
