"""``ostree remote delete-cookie``: send a cookie no more."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import UsageError
from ostree.repo.cookies import CookieJar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "NAME DOMAIN PATH COOKIE_NAME"
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Take it out of the remote's jar."""
    with open_repo(ctx, args) as repo:
        if len(args.words) < 4:
            raise UsageError("NAME, DOMAIN, PATH and COOKIE_NAME must be specified")
        remote, domain, path, name = args.words[:4]
        CookieJar(repo, remote).delete(domain, path, name)
