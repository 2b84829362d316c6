"""Signatures of static deltas (static deltas §3.6, §8.5, §8.6)."""

from __future__ import annotations

from ostree.errors import SignatureError
from ostree.formats.delta import signed as signed_format
from ostree.formats.delta.signed import SignedSuperblock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.sign.engine import PublicKeys, SignEngine


def sign(superblock: bytes, engine: SignEngine, secrets: Sequence[bytes]) -> bytes:
    """The file of a superblock, signed with each key; without keys it has no wrapper.

    Raises:
        SignatureError: if a key cannot be used.
    """
    if not secrets:
        return superblock
    signatures = [engine.sign(secret, superblock) for secret in secrets]
    return signed_format.encode(SignedSuperblock(superblock, {engine.name: signatures}))


def verify(
    signed: SignedSuperblock | None, engine: SignEngine, keys: PublicKeys | Callable[[], PublicKeys]
) -> str:
    """What an engine says about the first signature that is good.

    Raises:
        SignatureError: ``no signatures in static-delta``, ``no signature for 'ENGINE' in
            static-delta superblock``, or in the engine's words.
    """
    from ostree.sign.engine import EngineVerifier

    if signed is None:
        raise SignatureError("no signatures in static-delta")
    signatures = signed.signatures.get(engine.name)
    if signatures is None:
        raise SignatureError(f"no signature for '{engine.metadata_key}' in static-delta superblock")
    return EngineVerifier(engine, keys).verify(signed.superblock, signatures).text
