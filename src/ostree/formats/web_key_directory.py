"""Where a new version of an OpenPGP key can be had: the Web Key Directory (signatures §2.10)."""

from __future__ import annotations

from ostree.errors import FormatError

_Z_BASE_32 = "ybndrfg8ejkmcpqxot1uwisza345h769"
#: What stays as it is in a URL (RFC 3986 §2.3).
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def urls(address: str) -> tuple[str, str]:
    """The URLs of the advanced and of the direct method for a mail address.

    Raises:
        FormatError: ``Invalid email address "X"``.
    """
    parts = address.split("@")
    if len(parts) != 2:
        raise FormatError(f'Invalid email address "{address}"')
    local, domain = parts
    name = f"{address_hash(local)}?l={_escaped(local)}"
    well_known = "/.well-known/openpgpkey"
    advanced = f"https://openpgpkey.{domain}{well_known}/{_lower(domain)}/hu/{name}"
    return advanced, f"https://{domain}{well_known}/hu/{name}"


def address_hash(local: str) -> str:
    """The 32 characters that stand for the local part of an address."""
    import hashlib

    digest = hashlib.sha1(_lower(local).encode("utf-8", "surrogateescape")).digest()
    number = int.from_bytes(digest, "big")
    return "".join(_Z_BASE_32[number >> shift & 31] for shift in range(155, -5, -5))


def _lower(text: str) -> str:
    """ASCII letters in lower case, others as they are."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def _escaped(text: str) -> str:
    return "".join(
        chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"
        for byte in text.encode("utf-8", "surrogateescape")
    )
