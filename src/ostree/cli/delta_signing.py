"""What the commands that sign static deltas, or verify them, have in common."""

from __future__ import annotations

from ostree.cli.options import path
from ostree.errors import SignatureError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.cli.options import Arguments
    from ostree.formats.delta.signed import SignedSuperblock
    from ostree.repo.repository import Repo
    from ostree.sign.engine import PublicKeys, SignEngine

KEYS_FILE = path("keys-file", "NAME", "Read key(s) from file")
KEYS_DIR = path(
    "keys-dir",
    "NAME",
    "Redefine system-wide directories with public and revoked keys for verification",
)


def engine_of(repo: Repo, args: Arguments) -> SignEngine:
    """The engine that ``--sign-type`` names.

    Raises:
        SignatureError: ``Requested signature type is not implemented``.
    """
    from ostree.sign.engine import DEFAULT_ENGINE
    from ostree.sign.engines import find_engine

    return find_engine(args.text("sign-type") or DEFAULT_ENGINE, repo.sign_settings)


def public_keys(
    repo: Repo, args: Arguments, engine: SignEngine, texts: Sequence[str]
) -> PublicKeys:
    """The keys of a command line, of its file or, if there are none, those of the system.

    Raises:
        SignatureError: if a key is none, or there is not one.
    """
    from ostree.sign.engine import PublicKeys
    from ostree.sign.engines import load_public_keys, search_public_keys

    keys = [engine.public_key(text) for text in texts]
    name = args.text("keys-file")
    if name is not None:
        return PublicKeys([*keys, *load_public_keys(engine, name)])
    if keys:
        return PublicKeys(keys)
    directory = args.text("keys-dir")
    directories = repo.sign_settings.key_directories if directory is None else [directory]
    return search_public_keys(engine, directories)


def signer(repo: Repo, args: Arguments) -> Callable[[bytes], bytes] | None:
    """What turns a superblock into its signed file; None if no key was given.

    Raises:
        SignatureError: if a key is none, or the engine is not known.
    """
    texts, name = args.texts("sign"), args.text("keys-file")
    if not texts and name is None:
        return None
    engine = engine_of(repo, args)
    secrets = [engine.secret_key(text) for text in texts]
    if name is not None:
        from ostree.sign.engines import read_key_file

        secrets += engine.secret_keys(read_key_file(name))
    from ostree.repo.static_delta.signing import sign

    return lambda superblock: sign(superblock, engine, secrets)


def offline_check(
    repo: Repo, args: Arguments, texts: Sequence[str]
) -> Callable[[SignedSuperblock | None], None]:
    """What looks at the signatures of a delta before it is applied (static deltas §8.5).

    Who names keys or an engine, or has ``core.sign-verify-deltas`` set, wants a good signature; the
    reference would take a delta that has none at all (docs/adr/0008).

    Raises:
        SignatureError: if keys or engine are not usable.
    """
    asked = bool(texts) or any(args.has(name) for name in ("sign-type", "keys-file", "keys-dir"))
    engine = engine_of(repo, args)
    keys: PublicKeys | None = None
    try:
        keys = public_keys(repo, args, engine, texts)
    except SignatureError:
        if texts or args.has("keys-file") or args.has("keys-dir"):
            raise

    def check(signed: SignedSuperblock | None) -> None:
        if keys is not None and (signed is not None or asked):
            from ostree.repo.static_delta.signing import verify

            verify(signed, engine, keys)
        elif repo.config.sign_verify_deltas:
            raise SignatureError("Key is mandatory to check delta signature")

    return check
