"""Keyrings: plain sequences of OpenPGP packets, merged and listed by ``gpg``."""

from __future__ import annotations

from typing import NamedTuple

from ostree.errors import SignatureError
from ostree.sign.gpg.listing import LIST, parse_keys
from ostree.sign.gpg.process import RING, gpg_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.sign.gpg.listing import GpgKey
    from ostree.sign.gpg.process import GpgHome

#: Shorter names of keys are refused, as GPGME does.
LEAST_NAME = 8


def list_keys(ring: bytes, names: Sequence[str] = ()) -> list[GpgKey]:
    """The keys in a keyring, in its order, or those that have one of these names.

    Raises:
        SignatureError: if ``gpg`` cannot be run.
    """
    if not ring:
        return []
    with gpg_home(ring) as home:
        return _list(home, names)


def _list(home: GpgHome, names: Sequence[str] = ()) -> list[GpgKey]:
    return parse_keys(home.run(*LIST, "--list-keys", "--", *names).text)


def find_key(ring: bytes, name: str) -> GpgKey | None:
    """The one key in a keyring that a name, a key ID or a fingerprint means.

    It may be there more than once: keyrings are put together from several.
    """
    named = len(name.encode("utf-8", "surrogateescape")) >= LEAST_NAME
    keys = list_keys(ring, [name]) if named else []
    return keys[0] if len({key.primary.fingerprint for key in keys}) == 1 else None


def import_keys(
    ring: bytes, sources: Sequence[bytes], names: Sequence[str] | None = None
) -> tuple[bytes, int]:
    """Add keys to a keyring.

    Args:
        ring: The keyring.
        sources: Keys, armoured or not; those of one source, if it is armoured, end with its block.
        names: Only take these keys, or all.

    Returns:
        The new keyring, and how many keys are new in it.

    Raises:
        SignatureError: ``GPG: Unable to find key "X": GPGME: …``, ``GPG: Unable to export keys:
            GPGME: No data`` if there are none.
    """
    if names:
        sources = [_selected(sources, names)]
    with gpg_home(ring) as home:
        results = [result for source in sources for result in _import(home, source)]
        imported = sum(result.imported for result in results)
        if not imported and not any(result.seen for result in results):
            raise SignatureError("GPG: Unable to export keys: GPGME: No data")
        return home.read(RING), imported


def with_key_files(ring: bytes, paths: Sequence[str]) -> bytes:
    """A keyring with the keys that files hold, armoured or not.

    Raises:
        SignatureError: if ``gpg`` cannot be run.
    """
    if not paths:
        return ring
    with gpg_home(ring) as home:
        home.run("--import", "--", *paths)
        return home.read(RING)


class _Imported(NamedTuple):
    """How many keys one run has seen, how many were new, and how many secret ones there were."""

    seen: int
    imported: int
    secret: int


def _import(home: GpgHome, source: bytes) -> Iterator[_Imported]:
    """Import keys; more than once where there are secret ones, which only an agent can pass over."""
    for agent in (False, True):
        words = home.run("--import", data=source, agent=agent).find("IMPORT_RES")
        if words is None or len(words) < 11:
            return
        result = _Imported(int(words[1]), int(words[3]), int(words[10]))
        yield result
        if not result.secret:
            return


def _selected(sources: Sequence[bytes], names: Sequence[str]) -> bytes:
    """The keys of these names, for import."""
    with gpg_home() as home:
        for source in sources:
            list(_import(home, source))
        fingerprints = []
        for name in names:
            if len(name.encode("utf-8", "surrogateescape")) < LEAST_NAME:
                raise _not_found(name, "Invalid value")
            keys = _list(home, [name])
            if not keys:
                raise _not_found(name, "End of file")
            if len({key.primary.fingerprint for key in keys}) > 1:
                raise _not_found(name, "Ambiguous name")
            fingerprints.append(keys[0].primary.fingerprint)
        home.run("--output", f"{home.path}/selected", "--export", "--", *fingerprints)
        return home.read("selected")


def _not_found(name: str, reason: str) -> SignatureError:
    return SignatureError(f'GPG: Unable to find key "{name}": GPGME: {reason}')
