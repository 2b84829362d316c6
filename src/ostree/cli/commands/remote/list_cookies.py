"""``ostree remote list-cookies``: the cookies that a remote is sent."""

from __future__ import annotations

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import UsageError
from ostree.formats.date_text import format_utc
from ostree.repo.cookies import CookieJar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "NAME"
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Print what is in the remote's jar."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("NAME must be specified")
        for cookie in CookieJar(repo, args.words[0]).cookies():
            ctx.stdout.line("--")
            ctx.stdout.line(f"Domain: {cookie.domain}")
            ctx.stdout.line(f"Path: {cookie.path}")
            ctx.stdout.line(f"Name: {cookie.name}")
            ctx.stdout.line(f"Secure: {'TRUE' if cookie.secure else 'FALSE'}")
            ctx.stdout.line(f"Expires: {format_utc(cookie.expires)}")
            ctx.stdout.line(f"Value: {cookie.value}")
