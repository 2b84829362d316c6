"""``ostree rev-parse``: the commits that revisions mean."""

from __future__ import annotations

from ostree.cli.options import JSON, REPO, flag
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

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
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Print one checksum for each argument, or that of the only commit."""
    with open_repo(ctx, args) as repo:
        if args.flag("single"):
            if args.words:
                raise UsageError("Cannot specify arguments with --single")
            _print(ctx, args, [(None, _only_commit(repo))])
            return
        if not args.words:
            raise UsageError("REV must be specified")
        _print(ctx, args, ((rev, repo.resolve(rev)) for rev in args.words))


def _print(ctx: Context, args: Arguments, found: Iterable[tuple[str | None, Checksum]]) -> None:
    """Print checksums as they are found, or with what each was found for."""
    if args.flag("json"):
        from ostree.cli.json_output import print_json

        revisions = [{"rev": rev, "checksum": checksum} for rev, checksum in found]
        print_json(ctx, {"revisions": revisions})
        return
    for _, checksum in found:
        ctx.stdout.line(checksum)


def _only_commit(repo: Repo) -> Checksum:
    found: Checksum | None = None
    for checksum in repo.commits():
        if found is not None and checksum != found:
            raise OSTreeError("Multiple commit objects found")
        found = checksum
    if found is None:
        raise OSTreeError("No commit objects found")
    return found
