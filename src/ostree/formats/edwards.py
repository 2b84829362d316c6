"""Points of Edwards curves that are no keys: multiplied by eight, or four, they vanish.

A signature of all zeros is good for some of them whatever the data, and a key of all zeros, left in
a file as a place to fill in, is one of them.  Libsodium, upstream's engine for years, refuses them.
"""

from __future__ import annotations

_P25519 = 2**255 - 19
_P448 = 2**448 - 2**224 - 1
#: The y of the points of order 8; those of smaller order have 0, 1 and -1.
_ORDER_EIGHT = tuple(
    int.from_bytes(bytes.fromhex(text), "little")
    for text in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)
_LENGTH_448 = 57


def is_of_small_order(key: bytes) -> bool:
    """Whether a raw public key of Ed25519 or Ed448 is such a point, in whatever way written."""
    # The topmost bit is the sign of x.
    y = int.from_bytes(key, "little") & (1 << 8 * len(key) - 1) - 1
    if len(key) == _LENGTH_448:
        return y % _P448 in {0, 1, _P448 - 1}
    return y % _P25519 in {0, 1, _P25519 - 1, *_ORDER_EIGHT}
