"""``ostree log``: a commit and those before it."""

from __future__ import annotations

from ostree.cli.object_text import METADATA_TYPES, commit_text, variant_text
from ostree.cli.options import REPO, flag
from ostree.cli.repository import open_repo
from ostree.errors import ObjectNotFoundError, UsageError
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo
    from ostree.types import Checksum

USAGE = "REV"
OPTIONS = (REPO, flag("raw", "Show raw variant data"))


def run(ctx: Context, args: Arguments) -> None:
    """Print commits along their parents, as far as they are here."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("A rev argument is required")
        checksum: Checksum | None = repo.resolve(args.words[0])
        is_first = True
        while checksum is not None:
            try:
                checksum = _print(ctx, repo, checksum, raw=args.flag("raw"))
            except ObjectNotFoundError:
                if is_first:
                    raise
                ctx.stdout.line("<< History beyond this commit not fetched >>")
                return
            is_first = False


def _print(ctx: Context, repo: Repo, checksum: Checksum, *, raw: bool) -> Checksum | None:
    """Print one commit; returns its parent."""
    commit = repo.load_commit(checksum)
    ctx.stdout.line(f"commit {checksum}")
    if raw:
        data = repo.load_metadata(checksum, ObjectType.COMMIT)
        ctx.stdout.line(variant_text(METADATA_TYPES[ObjectType.COMMIT], data, swap=True))
    else:
        ctx.stdout.write(commit_text(commit))
    return commit.parent
