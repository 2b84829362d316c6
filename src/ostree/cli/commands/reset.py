"""``ostree reset``: let a ref point to another commit."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import NotFoundError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "REF COMMIT"
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Set an existing ref to a commit."""
    with open_repo(ctx, args, writable=True) as repo:
        if len(args.words) < 2:
            raise UsageError("A REF and COMMIT argument is required")
        ref, rev = args.words[:2]
        with repo.transaction() as transaction:
            if ref not in repo.refs.all():
                raise NotFoundError(f"Invalid ref '{ref}'")
            transaction.set_ref(ref, repo.resolve(rev))
