"""OpenPGP signatures in JSON documents (docs/json.md)."""

from __future__ import annotations

from ostree.sign.gpg.signature import UNKNOWN_NAME, GpgStatus
from ostree.sign.gpg.verifying import GpgVerdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.json_output import Json
    from ostree.sign.gpg.signature import GpgSignature
    from ostree.sign.interface import Verdict

_STATUSES = {
    GpgStatus.GOOD: "good",
    GpgStatus.EXPIRED: "expired",
    GpgStatus.KEY_EXPIRED: "key-expired",
    GpgStatus.KEY_REVOKED: "key-revoked",
    GpgStatus.BAD: "bad",
    GpgStatus.KEY_MISSING: "key-missing",
    GpgStatus.ERROR: "error",
}


def signatures_json(verdict: Verdict | None) -> list[Json]:
    """What is known of signatures, good or not; nothing if none were looked at."""
    if not isinstance(verdict, GpgVerdict):
        return []
    return [_signature_json(verdict, signature) for signature in verdict.signatures]


def _signature_json(verdict: GpgVerdict, signature: GpgSignature) -> Json:
    key = verdict.key_of(signature)
    users = key.user_ids if key is not None else []
    primary = signature.primary or (key.primary.fingerprint if key is not None else "")
    return {
        "status": _STATUSES[signature.status],
        "valid": signature.is_valid,
        "key": signature.fingerprint,
        "primary_key": primary or None,
        "user": f"{users[0].name} <{users[0].email}>" if users else None,
        "timestamp": signature.timestamp or None,
        "expires": signature.expires or None,
        "algorithm": _known(signature.algorithm),
        "hash": _known(signature.hash),
    }


def _known(name: str) -> str | None:
    return None if name == UNKNOWN_NAME else name
