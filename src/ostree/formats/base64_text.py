"""Base64 as GLib reads it, which is how upstream reads keys (signatures §3.2)."""

from __future__ import annotations

from base64 import b64decode

_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def decode(text: str) -> bytes:
    """The bytes that a text stands for; there is no text that stands for none.

    Characters outside of the alphabet are skipped, characters beyond the last group of four
    dropped, and padding ends its group, not the text.
    """
    kept = "".join(character for character in text if character in _ALPHABET)
    whole = kept[: len(kept) // 4 * 4]
    body = whole.rstrip("=")
    if "=" not in body and len(whole) - len(body) < 3:
        return b64decode(whole)
    return b"".join(_group(whole[at : at + 4]) for at in range(0, len(whole), 4))


def _group(four: str) -> bytes:
    """One group; padding anywhere but at its end counts as zero bits."""
    three = b64decode(four.replace("=", "A"))
    if four[3] != "=":
        return three if four[2] != "=" else three[:1] + three[2:]
    return three[:1] if four[2] == "=" else three[:2]
