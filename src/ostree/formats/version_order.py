"""The order of version strings that ``strverscmp(3)`` describes."""

from __future__ import annotations

_DIGITS = b"0123456789"


def compare_versions(left: str, right: str) -> int:
    """Negative, zero or positive, as ``left`` comes before, with or after ``right``.

    Runs of digits compare as numbers, unless they have leading zeros: then they compare as if a
    decimal point stood before them, so that ``00`` < ``01`` < ``0`` < ``9`` < ``10``.
    """
    a = left.encode("utf-8", "surrogateescape")
    b = right.encode("utf-8", "surrogateescape")
    if a == b:
        return 0
    common = 0
    while common < min(len(a), len(b)) and a[common] == b[common]:
        common += 1
    start = common
    while start > 0 and a[start - 1] in _DIGITS:
        start -= 1
    rest_a, rest_b = a[common : common + 1], b[common : common + 1]
    shared = a[start:common]
    if _is_number(a[start : start + 1]) and _is_number(b[start : start + 1]):
        # Two numbers without leading zeros: the longer one is greater.
        difference = _digits_from(a, common) - _digits_from(b, common)
        if difference:
            return difference
    elif shared and not shared.strip(b"0") and (rest_a.isdigit() or rest_b.isdigit()):
        # Only zeros so far: more zeros, or a digit, come before the end of the run.
        if not rest_a.isdigit():
            return 1
        if not rest_b.isdigit():
            return -1
    return (rest_a[0] if rest_a else 0) - (rest_b[0] if rest_b else 0)


def _is_number(first: bytes) -> bool:
    return first.isdigit() and first != b"0"


def _digits_from(text: bytes, position: int) -> int:
    end = position
    while end < len(text) and text[end] in _DIGITS:
        end += 1
    return end - position
