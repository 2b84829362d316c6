"""``ostree static-delta apply-offline``: import what a delta in files brings."""

from __future__ import annotations

from ostree.cli.options import REPO, text
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError
from ostree.repo.static_delta.offline import apply_offline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (REPO, text("sign-type", "NAME", "Signature type to use (defaults to 'ed25519')"))


def run(ctx: Context, args: Arguments) -> None:
    """Apply it; no ref is set."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise OSTreeError("PATH must be specified")
        if args.text("sign-type") is not None or len(args.words) > 1:
            raise OSTreeError("Requested signature type is not implemented")
        apply_offline(repo, args.words[0])
