"""``ostree static-delta apply-offline``: import what a delta in files brings."""

from __future__ import annotations

from ostree.cli.delta_signing import KEYS_DIR, KEYS_FILE, offline_check
from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.cli.signing import SIGN_TYPE
from ostree.errors import OSTreeError
from ostree.repo.static_delta.offline import apply_offline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (REPO, SIGN_TYPE, KEYS_FILE, KEYS_DIR)


def run(ctx: Context, args: Arguments) -> None:
    """Apply it if its signature is good; no ref is set."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise OSTreeError("PATH must be specified")
        path, *keys = args.words
        apply_offline(repo, path, offline_check(repo, args, keys))
