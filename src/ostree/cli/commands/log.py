"""``ostree log``: a commit and those before it."""

from __future__ import annotations

from ostree.cli.object_text import METADATA_TYPES, commit_text, variant_text
from ostree.cli.options import JSON, REPO, flag
from ostree.cli.repository import open_repo
from ostree.errors import ObjectNotFoundError, UsageError
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.formats.commit import Commit
    from ostree.repo.repository import Repo
    from ostree.types import Checksum

USAGE = "REV"
OPTIONS = (REPO, flag("raw", "Show raw variant data"), JSON)


def run(ctx: Context, args: Arguments) -> None:
    """Print commits along their parents, as far as they are here."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("A rev argument is required")
        history = _History(repo, repo.resolve(args.words[0]))
        if args.flag("json"):
            _print_json(ctx, args, repo, history)
            return
        for checksum, commit in history:
            _print(ctx, repo, checksum, commit, raw=args.flag("raw"))
        if not history.is_complete:
            ctx.stdout.line("<< History beyond this commit not fetched >>")


class _History:
    """A commit and those before it, as far as they are here.

    Attributes:
        is_complete: Whether the end was a commit without parent; known when all were seen.

    Raises:
        OSTreeError: if the first commit is missing, at once; if one is damaged, when it is reached.
    """

    def __init__(self, repo: Repo, checksum: Checksum) -> None:
        self._repo = repo
        self._first = (checksum, repo.load_commit(checksum))
        self.is_complete = False

    def __iter__(self) -> Iterator[tuple[Checksum, Commit]]:
        checksum, commit = self._first
        while True:
            yield checksum, commit
            if commit.parent is None:
                self.is_complete = True
                return
            checksum = commit.parent
            try:
                commit = self._repo.load_commit(checksum)
            except ObjectNotFoundError:
                return


def _print(ctx: Context, repo: Repo, checksum: Checksum, commit: Commit, *, raw: bool) -> None:
    ctx.stdout.line(f"commit {checksum}")
    if raw:
        data = repo.load_metadata(checksum, ObjectType.COMMIT)
        ctx.stdout.line(variant_text(METADATA_TYPES[ObjectType.COMMIT], data, swap=True))
    else:
        ctx.stdout.write(commit_text(commit))


def _print_json(ctx: Context, args: Arguments, repo: Repo, history: _History) -> None:
    from ostree.cli.json_output import print_json, refuse_with_json
    from ostree.cli.object_json import commit_json

    refuse_with_json(args, "raw")
    commits = (commit_json(repo, checksum, commit) for checksum, commit in history)
    print_json(ctx, {"commits": commits, "complete": lambda: history.is_complete})
