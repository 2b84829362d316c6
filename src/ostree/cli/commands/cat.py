"""``ostree cat``: the content of committed files."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError, UsageError
from ostree.repo import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "COMMIT PATH..."
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Write them one after the other, following links within the commit."""
    with open_repo(ctx, args) as repo:
        if len(args.words) < 2:
            raise UsageError("A COMMIT and at least one PATH argument are required")
        rev, *paths = args.words
        root = repo.load_commit(repo.resolve(rev)).root
        for path in paths:
            entry = tree.lookup(repo, root, path, follow=True)
            if entry.checksum is None:
                raise OSTreeError("Can't open directory")
            with repo.load_content(entry.checksum) as content:
                while data := content.read():
                    ctx.stdout.write_bytes(data)
