"""``ostree sign``: sign a commit with plain keys, or verify that it is signed."""

from __future__ import annotations

from ostree.cli.options import REPO, flag, path, text
from ostree.cli.repository import open_repo
from ostree.errors import SignatureError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo
    from ostree.sign.engine import PublicKeys, SignEngine
    from ostree.types import Checksum

USAGE = "COMMIT KEY-ID..."
OPTIONS = (
    REPO,
    flag("delete", "Delete signatures having any of the KEY-IDs", short="d"),
    flag("verify", "Verify signatures"),
    text("sign-type", "NAME", "Signature type to use (defaults to 'ed25519')", short="s"),
    path("keys-file", "NAME", "Read key(s) from file"),
    path(
        "keys-dir",
        "NAME",
        "Redefine system-wide directories with public and revoked keys for verification",
    ),
)


def run(ctx: Context, args: Arguments) -> None:
    """Sign with every key, look for one with which the commit is signed, or undo that.

    Upstream's --delete signs (docs/adr/0007).
    """
    from ostree.repo.signing import delete_signatures
    from ostree.sign.engine import DEFAULT_ENGINE
    from ostree.sign.engines import find_engine

    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("Need a COMMIT to sign or verify")
        if args.flag("delete") and args.flag("verify"):
            raise UsageError("--delete and --verify are mutually exclusive")
        rev, *keys = args.words
        needs_key = args.flag("delete") or args.text("keys-file") is None
        if not keys and not args.flag("verify") and needs_key:
            raise UsageError("Need at least one KEY-ID to sign with")
        commit = repo.resolve(rev)
        engine = find_engine(args.text("sign-type") or DEFAULT_ENGINE, repo.sign_settings)
        if args.flag("delete"):
            deleted = delete_signatures(repo, commit, engine, keys)
            ctx.stdout.line(f"Signatures deleted: {deleted}")
        elif args.flag("verify"):
            ctx.stdout.write(_verify(repo, engine, commit, keys, args))
        else:
            _sign(repo, engine, commit, keys, args)


def _sign(
    repo: Repo, engine: SignEngine, commit: Checksum, keys: list[str], args: Arguments
) -> None:
    from ostree.repo.signing import sign_commit
    from ostree.sign.engine import EngineSigner

    for secret in _secrets(engine, keys, args):
        try:
            sign_commit(repo, commit, EngineSigner(engine, secret))
        except SignatureError as error:
            error.add_prefix("Not able to sign the cobject")
            raise


def _secrets(engine: SignEngine, keys: list[str], args: Arguments) -> Iterator[bytes]:
    for key in keys:
        yield engine.secret_key(key)
    name = args.text("keys-file")
    if name is not None:
        from ostree.sign.engines import read_key_file

        yield from engine.secret_keys(read_key_file(name))


def _verify(
    repo: Repo, engine: SignEngine, commit: Checksum, keys: list[str], args: Arguments
) -> str:
    """What the engine says of the first key with which the commit is signed."""
    from ostree.repo.signing import verify_commit
    from ostree.sign.engine import EngineVerifier, PublicKeys

    # What cannot be loaded is no question of keys.
    repo.load_commit(commit)

    def check(keys: PublicKeys | Callable[[], PublicKeys]) -> str:
        return verify_commit(repo, commit, EngineVerifier(engine, keys)).describe()

    for key in keys:
        try:
            return check(PublicKeys([engine.public_key(key)]))
        except SignatureError as error:
            # A missing library is no wrong key.
            if error.hint is not None:
                raise
    if keys and args.text("keys-file") is None:
        raise SignatureError("No valid signatures found")
    return check(_loaded_keys(repo, engine, args))


def _loaded_keys(repo: Repo, engine: SignEngine, args: Arguments) -> PublicKeys:
    from ostree.sign.engine import PublicKeys
    from ostree.sign.engines import load_public_keys, search_public_keys

    name = args.text("keys-file")
    if name is not None:
        return PublicKeys(load_public_keys(engine, name))
    directory = args.text("keys-dir")
    directories = repo.sign_settings.key_directories if directory is None else [directory]
    return search_public_keys(engine, directories)
