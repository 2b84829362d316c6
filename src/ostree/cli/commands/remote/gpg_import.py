"""``ostree remote gpg-import``: keys that a remote's commits may be signed with."""

from __future__ import annotations

import os
import sys

from ostree.cli.options import REPO, Option, flag
from ostree.cli.options import TEXTS as REPEATED
from ostree.cli.repository import open_repo
from ostree.cli.signing import imported_text
from ostree.errors import NotFoundError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "NAME [KEY-ID...]"
OPTIONS = (
    REPO,
    Option(
        REPEATED,
        "keyring",
        "Import keys from a keyring file (repeatable)",
        short="k",
        argument="FILE",
    ),
    flag("stdin", "Import keys from standard input"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Add them to the keyring of the remote."""
    from ostree.repo.keyrings import import_remote_keys

    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("NAME must be specified")
        name, *key_ids = args.words
        paths = args.texts("keyring")
        if paths and args.flag("stdin"):
            raise UsageError("--keyring and --stdin are mutually exclusive")
        source = _standard_input() if args.flag("stdin") else b"".join(map(read_keys, paths))
        count = import_remote_keys(repo, name, source, key_ids)
        ctx.stdout.line(imported_text(count, name))


def read_keys(path: str) -> bytes:
    """The content of a file of keys.

    Raises:
        NotFoundError: ``Error opening file PATH: …``.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        absolute = os.path.abspath(path)
        raise NotFoundError(f"Error opening file {absolute}: {error.strerror}") from error


def _standard_input() -> bytes:
    return sys.stdin.buffer.read() if sys.stdin is not None else b""
