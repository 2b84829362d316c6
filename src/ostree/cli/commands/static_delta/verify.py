"""``ostree static-delta verify``: check the signatures of a delta."""

from __future__ import annotations

from ostree.cli.delta_signing import KEYS_DIR, KEYS_FILE, engine_of, public_keys
from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.cli.signing import SIGN_TYPE
from ostree.errors import OSTreeError, SignatureError
from ostree.formats.delta import signed
from ostree.repo.static_delta.signing import verify
from ostree.repo.static_delta.storage import read_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "STATIC-DELTA-FILE [KEY-ID...]"
OPTIONS = (REPO, SIGN_TYPE, KEYS_FILE, KEYS_DIR)


def run(ctx: Context, args: Arguments) -> None:
    """Say whether a signature is good."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise OSTreeError("DELTA must be specified")
        shown, *texts = args.words
        try:
            engine = engine_of(repo, args)
        except SignatureError:
            ctx.stdout.line("Sign-type not supported")
            raise
        keys = public_keys(repo, args, engine, texts)
        data = read_named(repo, shown)
        try:
            verify(signed.decode(data), engine, keys)
        except SignatureError:
            ctx.stdout.line("Verification fails")
            raise
        ctx.stdout.line("Verification OK")
