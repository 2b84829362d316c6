"""What ``gpg --verify`` says about signatures, and how that is told (signatures §2.5, §2.6)."""

from __future__ import annotations

from enum import Enum

from ostree.formats.date_text import format_c, is_representable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.time_zone import Zone
    from ostree.sign.gpg.listing import GpgKey

UNKNOWN_NAME = "[unknown name]"
UNKNOWN_EMAIL = "[unknown email]"

#: Algorithms of public keys and hashes by their numbers in OpenPGP, in GPGME's words.
_PUBLIC_KEY_ALGORITHMS = {
    "1": "RSA",
    "2": "RSA-E",
    "3": "RSA-S",
    "16": "ELG-E",
    "17": "DSA",
    "18": "ECDH",
    "19": "ECDSA",
    "20": "ELG",
    "22": "EdDSA",
}
_HASH_ALGORITHMS = {
    "1": "MD5",
    "2": "SHA1",
    "3": "RIPEMD160",
    "8": "SHA256",
    "9": "SHA384",
    "10": "SHA512",
    "11": "SHA224",
}
_NO_PUBLIC_KEY = "9"


class GpgStatus(Enum):
    """What a signature is worth; the value is the status word of ``gpg``."""

    GOOD = "GOODSIG"
    EXPIRED = "EXPSIG"
    KEY_EXPIRED = "EXPKEYSIG"
    KEY_REVOKED = "REVKEYSIG"
    BAD = "BADSIG"
    KEY_MISSING = "NO_PUBKEY"
    ERROR = "ERRSIG"


class GpgSignature:
    """One signature.

    Attributes:
        status: What it is worth.
        fingerprint: Of the key that made it; the 16 digits of its ID if that is all there is.
        primary: The fingerprint of the primary key; empty if it is not known.
        timestamp: When it was made, in seconds since 1970; 0 if it is bad.
        expires: When it ends to be good; 0 for never.
        algorithm: Of the key.
        hash: The hash function.
    """

    __slots__ = (
        "algorithm",
        "expires",
        "fingerprint",
        "hash",
        "primary",
        "status",
        "timestamp",
    )

    def __init__(self, status: GpgStatus, fingerprint: str) -> None:
        self.status = status
        self.fingerprint = fingerprint
        self.primary = ""
        self.timestamp = 0
        self.expires = 0
        self.algorithm = UNKNOWN_NAME
        self.hash = UNKNOWN_NAME

    @property
    def is_valid(self) -> bool:
        """Whether it proves anything."""
        return self.status is GpgStatus.GOOD


def parse_statuses(statuses: Sequence[Sequence[str]]) -> list[GpgSignature] | None:
    """The signatures that status lines speak of, in their order; None if they say of no data."""
    found: list[GpgSignature] = []
    for words in statuses:
        keyword = words[0]
        if keyword in {"NODATA", "UNEXPECTED"}:
            return None
        if keyword == "ERRSIG" and len(words) >= 7:
            found.append(_unchecked(words))
        elif keyword in _VERDICTS and len(words) >= 2:
            found.append(GpgSignature(_VERDICTS[keyword], words[1]))
        elif keyword == "VALIDSIG" and len(words) >= 9 and found:
            _complete(found[-1], words)
    return found or None


_VERDICTS = {
    status.value: status
    for status in GpgStatus
    if status not in (GpgStatus.ERROR, GpgStatus.KEY_MISSING)
}


def _unchecked(words: Sequence[str]) -> GpgSignature:
    """``ERRSIG keyid pkalgo hashalgo class time rc [fpr]``: nothing could be checked."""
    missing = words[6] == _NO_PUBLIC_KEY
    full = words[7] if len(words) > 7 and words[7] != "-" else words[1]
    signature = GpgSignature(GpgStatus.KEY_MISSING if missing else GpgStatus.ERROR, full)
    signature.algorithm = _PUBLIC_KEY_ALGORITHMS.get(words[2], UNKNOWN_NAME)
    signature.hash = _HASH_ALGORITHMS.get(words[3], UNKNOWN_NAME)
    signature.timestamp = _number(words[5])
    return signature


def _complete(signature: GpgSignature, words: Sequence[str]) -> None:
    """``VALIDSIG fpr date time expiry version reserved pkalgo hashalgo class [primary]``."""
    signature.fingerprint = words[1]
    signature.timestamp = _number(words[3])
    signature.expires = _number(words[4])
    signature.algorithm = _PUBLIC_KEY_ALGORITHMS.get(words[7], UNKNOWN_NAME)
    signature.hash = _HASH_ALGORITHMS.get(words[8], UNKNOWN_NAME)
    signature.primary = words[10] if len(words) > 10 else ""


def _number(word: str) -> int:
    return int(word) if word.isascii() and word.isdigit() else 0


class Teller:
    """Tells of signatures.

    Args:
        zone: In which time zone.
        now: The present, in seconds since 1970.
        prefix: In front of each line.
    """

    def __init__(self, zone: Zone, now: float, prefix: str = "") -> None:
        self._zone = zone
        self._now = now
        self._prefix = prefix

    def describe(self, signature: GpgSignature, key: GpgKey | None) -> str:
        """Lines about a signature and its key, if that is known; each with its end."""
        if not is_representable(signature.timestamp):
            return f"Can't check signature: timestamp {signature.timestamp} is invalid\n"
        made = self._date(signature.timestamp)
        key_id = signature.fingerprint[-16:]
        lines = [
            f"Signature made {made} using {signature.algorithm} key ID {key_id}",
            _verdict(signature, key),
        ]
        if key is not None and key.primary.fingerprint != signature.fingerprint:
            lines.append(f"Primary key ID {key.primary.fingerprint[-16:]}")
        lines += self._expiry("Signature", signature.expires)
        if key is not None:
            subkey = key.subkey(signature.fingerprint)
            if subkey is not None:
                lines += self._expiry("Key", subkey.expires)
            if subkey is not key.primary:
                lines += self._expiry("Primary key", key.primary.expires)
        return "".join(f"{self._prefix}{line}\n" for line in lines)

    def _date(self, timestamp: int) -> str:
        return format_c(timestamp, self._zone)

    def _expiry(self, what: str, timestamp: int) -> list[str]:
        if not timestamp:
            return []
        verb = "expired" if timestamp <= self._now else "expires"
        return [f"{what} {verb} {self._date(timestamp)}"]


def _verdict(signature: GpgSignature, key: GpgKey | None) -> str:
    if signature.status is GpgStatus.KEY_MISSING:
        return "Can't check signature: public key not found"
    if signature.status is GpgStatus.KEY_REVOKED:
        return "Key revoked"
    user = user_of(key)
    if signature.status is GpgStatus.GOOD:
        return f"Good signature from {user}"
    if signature.status is GpgStatus.EXPIRED:
        return f"Expired signature from {user}"
    return f"BAD signature from {user}"


def user_of(key: GpgKey | None) -> str:
    """``"NAME <EMAIL>"`` of the first user ID of a key."""
    if key is None:
        return f'"{UNKNOWN_NAME} <{UNKNOWN_EMAIL}>"'
    if not key.user_ids:
        return '" <>"'
    user = key.user_ids[0]
    return f'"{user.name} <{user.email}>"'
