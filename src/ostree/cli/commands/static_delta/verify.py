"""``ostree static-delta verify``: check the signatures of a delta."""

from __future__ import annotations

from ostree.cli.options import REPO, text
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "STATIC-DELTA-FILE [KEY-ID...]"
OPTIONS = (REPO, text("sign-type", "NAME", "Signature type to use (defaults to 'ed25519')"))


def run(ctx: Context, args: Arguments) -> None:
    """Say whether a signature is good."""
    with open_repo(ctx, args):
        if not args.words:
            raise OSTreeError("DELTA must be specified")
        ctx.stdout.line("Sign-type not supported")
        raise OSTreeError("Requested signature type is not implemented")
