"""``ostree gpg-sign``: add OpenPGP signatures to a commit, or remove them."""

from __future__ import annotations

from ostree.cli.options import REPO, flag
from ostree.cli.repository import open_repo
from ostree.cli.signing import GPG_HOMEDIR
from ostree.errors import SignatureError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "COMMIT KEY-ID..."
OPTIONS = (
    REPO,
    flag("delete", "Delete signatures having any of the GPG KEY-IDs", short="d"),
    GPG_HOMEDIR,
)


def run(ctx: Context, args: Arguments) -> None:
    """Sign with each key in turn, or delete the first signature by each."""
    from ostree.repo import keyrings, signing
    from ostree.sign.gpg.signing import GpgSigner

    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("Need a COMMIT to sign")
        rev, *key_ids = args.words
        if not key_ids:
            raise UsageError("Need at least one GPG KEY-ID to sign with")
        commit = repo.resolve(rev)
        if args.flag("delete"):
            # As upstream: the home directory does not count here.
            verifier = keyrings.verifier_for_repo(repo)
            deleted = signing.delete_gpg_signatures(repo, commit, key_ids, verifier)
            ctx.stdout.line(f"Signatures deleted: {deleted}")
            return
        home = args.text("gpg-homedir")
        for key_id in key_ids:
            if signing.is_signed(repo, commit):
                verifier = keyrings.verifier_for_signing(repo, home)
                if signing.is_signed_by(repo, commit, key_id, verifier):
                    raise SignatureError(f"Commit is already signed with GPG key {key_id}")
            signing.sign_commit(repo, commit, GpgSigner(key_id, home))
