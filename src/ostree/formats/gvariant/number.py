"""Numbers in GVariant text, read the way C's ``strtoull`` and ``strtod`` read them."""

from __future__ import annotations

from math import isinf

from ostree.formats.gvariant.tokens import failure

_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")
_RANGES = {
    "y": (0, 0xFF),
    "n": (-0x8000, 0x7FFF),
    "q": (0, 0xFFFF),
    "i": (-0x80000000, 0x7FFFFFFF),
    "h": (-0x80000000, 0x7FFFFFFF),
    "u": (0, 0xFFFFFFFF),
    "x": (-0x8000000000000000, 0x7FFFFFFFFFFFFFFF),
    "t": (0, 0xFFFFFFFFFFFFFFFF),
}
_MAX_UNSIGNED = 0xFFFFFFFFFFFFFFFF


def looks_double(token: str) -> bool:
    """Whether a number is taken for a double: a point, an exponent, infinity or not a number.

    An ``e`` is an exponent except after ``0x`` at the very start.
    """
    if "." in token or "inf" in token or "nan" in token:
        return True
    return "e" in token and not token.startswith("0x")


def parse_number(token: str, kind: str, start: int) -> int | float:
    """The number of a token.

    Args:
        token: The token.
        kind: The type it has to be of; if not one of numbers, only the syntax is checked.
        start: Where it is in the text.

    Raises:
        FormatError: if it is no number or out of the range of the type.
    """
    return _parse_double(token, start) if kind == "d" else _parse_integer(token, kind, start)


def _check_end(token: str, end: int, start: int) -> None:
    if end < len(token):
        raise failure(start + end, start + end + 1, "invalid character in number")


def _parse_integer(token: str, kind: str, start: int) -> int:
    negative = token.startswith("-")
    number, end = _unsigned(token, 1 if negative else 0)
    if number < -_MAX_UNSIGNED or number > _MAX_UNSIGNED:
        raise failure(start, start + len(token), "integer too big for any type")
    # strtoull takes a sign of its own and wraps around.
    number &= _MAX_UNSIGNED
    _check_end(token, end, start)
    if negative:
        number = -number
    lowest, highest = _RANGES.get(kind, (number, number))
    if not lowest <= number <= highest:
        raise failure(start, start + len(token), f"number out of range for type '{kind}'")
    return number


def _unsigned(token: str, start: int) -> tuple[int, int]:
    """The integer at a position in C's notation with its own sign, and where it ends."""
    at = start
    sign = -1 if token[at : at + 1] == "-" else 1
    if token[at : at + 1] in ("+", "-"):
        at += 1
    base = 10
    characters = _DIGITS
    if token[at : at + 1] == "0":
        base = 8
        characters = frozenset("01234567")
        if token[at + 1 : at + 2] in ("x", "X") and token[at + 2 : at + 3] in _HEX:
            base = 16
            characters = _HEX
            at += 2
    end = _skip(token, at, characters)
    if end == at:
        return 0, start
    digits = token[at:end].lstrip("0")
    if len(digits) > 64:
        return sign * (_MAX_UNSIGNED + 1), end
    return sign * int(digits or "0", base), end


def _parse_double(token: str, start: int) -> float:
    end = _double_end(token)
    text = token[:end]
    if not text:
        number = 0.0
    elif "x" in text.lower():
        try:
            number = float.fromhex(text)
        except OverflowError:
            number = float("inf")
    else:
        number = float(text)
    if isinf(number) and "inf" not in text.lower():
        raise failure(start, start + len(token), "number too big for any type")
    _check_end(token, end, start)
    return number


def _double_end(token: str) -> int:
    """Where the number at the start of a token ends; 0 if there is none."""
    at = 1 if token[:1] in ("+", "-") else 0
    rest = token[at : at + 8].lower()
    for word in ("infinity", "inf", "nan"):
        if rest.startswith(word):
            return at + len(word)
    if rest.startswith("0x"):
        end = _mantissa_end(token, at + 2, _HEX)
        if end:
            return _exponent_end(token, end, "pP")
        return at + 1
    end = _mantissa_end(token, at, _DIGITS)
    return _exponent_end(token, end, "eE") if end else 0


def _mantissa_end(token: str, start: int, digits: frozenset[str]) -> int:
    """Where digits with a point before, among or after them end; 0 if there is no digit."""
    point = _skip(token, start, digits)
    if token[point : point + 1] != ".":
        return point if point > start else 0
    end = _skip(token, point + 1, digits)
    return end if end - start > 1 else 0


def _exponent_end(token: str, start: int, letters: str) -> int:
    if start >= len(token) or token[start] not in letters:
        return start
    at = start + 1
    if token[at : at + 1] in ("+", "-"):
        at += 1
    end = _skip(token, at, _DIGITS)
    return end if end > at else start


def _skip(token: str, position: int, characters: frozenset[str]) -> int:
    while position < len(token) and token[position] in characters:
        position += 1
    return position
