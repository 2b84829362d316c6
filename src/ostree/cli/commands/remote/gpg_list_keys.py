"""``ostree remote gpg-list-keys``: the keys that a remote's commits may be signed with."""

from __future__ import annotations

import time

from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.formats import web_key_directory
from ostree.formats.date_text import format_c
from ostree.system.machine_zone import MachineZone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.sign.gpg.listing import GpgKey, GpgSubkey, GpgUserId

USAGE = "NAME"
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Print those of the remote; the global ones if none is named."""
    from ostree.repo.keyrings import list_remote_keys

    with open_repo(ctx, args) as repo:
        for key in list_remote_keys(repo, args.words[0] if args.words else None):
            ctx.stdout.write("".join(f"{line}\n" for line in _key_lines(key)))


def _key_lines(key: GpgKey) -> Iterator[str]:
    primary, *subkeys = key.subkeys
    yield f"Key: {primary.fingerprint}{_state(primary)}"
    yield from _date_lines(primary, "  ")
    for user in key.user_ids:
        yield f"  UID: {user.text}{_state(user)}"
        advanced, direct = web_key_directory.urls(user.address) if user.address else ("", "")
        yield f"  Advanced update URL: {advanced}"
        yield f"  Direct update URL: {direct}"
    for subkey in subkeys:
        yield f"  Subkey: {subkey.fingerprint}{_state(subkey)}"
        yield from _date_lines(subkey, "    ")


def _state(thing: GpgSubkey | GpgUserId) -> str:
    revoked = " (revoked)" if thing.revoked else ""
    return f"{revoked} (invalid)" if thing.invalid else revoked


def _date_lines(key: GpgSubkey, indent: str) -> Iterator[str]:
    zone = MachineZone()
    yield f"{indent}Created: {format_c(key.created, zone)}"
    if key.expires:
        verb = "Expired" if key.expires <= time.time() else "Expires"
        yield f"{indent}{verb}: {format_c(key.expires, zone)}"
