"""``ostree remote add-cookie``: send a cookie to a remote."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import UsageError
from ostree.repo.cookies import CookieJar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "NAME DOMAIN PATH COOKIE_NAME VALUE"
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Put it into the remote's jar."""
    with open_repo(ctx, args) as repo:
        if len(args.words) < 5:
            raise UsageError("NAME, DOMAIN, PATH, COOKIE_NAME and VALUE must be specified")
        remote, domain, path, name, value = args.words[:5]
        CookieJar(repo, remote).add(domain, path, name, value)
