"""What the commands that sign, and those that show signatures, have in common."""

from __future__ import annotations

from ostree.cli.options import path, text, texts
from ostree.errors import OSTreeError, SignatureError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ostree.cli.options import Arguments, Option
    from ostree.repo.repository import Repo
    from ostree.sign.engine import SignEngine
    from ostree.sign.interface import Signer
    from ostree.types import Checksum

GPG_HOMEDIR = path("gpg-homedir", "HOMEDIR", "GPG Homedir to use when looking for keyrings")
SIGN_TYPE = text("sign-type", "NAME", "Signature type to use (defaults to 'ed25519')")
SIGN_FROM_FILE = "sign-from-file"
#: What precedes the number of signatures that had to be verified.
VERIFIED = "GPG: Verification enabled, found"


def sign_options(what: str, key: str, help: str, *, files: bool = False) -> tuple[Option, ...]:
    """The options of a command that signs.

    Args:
        what: What it signs.
        key: How help calls a key.
        help: What ``--sign`` does.
        files: Whether keys may be in files.
    """
    options = [
        texts("gpg-sign", "KEY-ID", f"GPG Key ID to sign the {what} with"),
        GPG_HOMEDIR,
        texts("sign", key, help),
    ]
    if files:
        options.append(texts(SIGN_FROM_FILE, "PATH", f"Sign the {what} with the key in PATH"))
    return (*options, SIGN_TYPE)


def signers(repo: Repo, args: Arguments, *, files: bool = False) -> Iterator[Signer]:
    """A signer for each key that the options name, in upstream's order, when it is its turn.

    Raises:
        SignatureError: if a key is none, or not there.
    """
    keys = args.texts("sign")
    paths = args.texts(SIGN_FROM_FILE) if files else []
    if keys or paths:
        from ostree.sign.engine import DEFAULT_ENGINE, EngineSigner
        from ostree.sign.engines import find_engine

        engine = find_engine(args.text("sign-type") or DEFAULT_ENGINE, repo.sign_settings)
        for key in keys:
            yield EngineSigner(engine, engine.secret_key(key))
        for name in paths:
            yield EngineSigner(engine, _first_key(engine, name))
    for key_id in args.texts("gpg-sign"):
        from ostree.sign.gpg.signing import GpgSigner

        yield GpgSigner(key_id, args.text("gpg-homedir"))


def sign_as_asked(repo: Repo, args: Arguments, commit: Checksum) -> None:
    """Sign a new commit with every key that the options name.

    Raises:
        SignatureError: if a key is none, or cannot sign.
    """
    for signer in signers(repo, args, files=True):
        from ostree.repo.signing import sign_commit

        sign_commit(repo, commit, signer)


def _first_key(engine: SignEngine, name: str) -> bytes:
    from ostree.sign.engines import read_key_file

    try:
        secrets = engine.secret_keys(read_key_file(name))
        if not secrets:
            raise SignatureError("No key in the file")
    except OSTreeError as error:
        error.add_prefix(f"Reading {name}")
        raise
    return secrets[0]


def found_text(title: str, describe: Callable[[str], Sequence[str]], about: str = "") -> str:
    """``Found 2 signatures:`` and what there is to say about each (signatures §2.7).

    Args:
        title: The first words.
        describe: Tells it, with a prefix before each line.
        about: What stands before the colon.
    """
    descriptions = describe("  ")
    plural = "" if len(descriptions) == 1 else "s"
    lines = [f"{title} {len(descriptions)} signature{plural}{about}:\n"]
    return "".join([*lines, *(f"\n{text}" for text in descriptions)])


def imported_text(count: int, remote: str) -> str:
    """What an import of keys says."""
    return f'Imported {count} GPG key{"" if count == 1 else "s"} to remote "{remote}"'
