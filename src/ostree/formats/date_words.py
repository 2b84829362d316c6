"""The words and numbers that dates are written with, for :mod:`ostree.formats.timestamp`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NANO = 1_000_000_000
INT64 = 1 << 63

_BLANKS = frozenset(" \t\n\v\f\r")
_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

_MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER"),
    *("OCTOBER", "NOVEMBER", "DECEMBER"),
)
_DAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_ORDINALS = (
    *("FIRST", "", "THIRD", "FOURTH", "FIFTH", "SIXTH", "SEVENTH", "EIGHTH", "NINTH", "TENTH"),
    *("ELEVENTH", "TWELFTH"),
)

# What is known of a word: the kind of its token and its value.
_WORDS: dict[str, tuple[str, int]] = {
    **{name: ("month", number) for number, name in enumerate(_MONTHS, 1)},
    **{name[:3]: ("month", number) for number, name in enumerate(_MONTHS, 1)},
    **{f"{name[:3]}.": ("month", number) for number, name in enumerate(_MONTHS, 1)},
    **{name: ("day", number) for number, name in enumerate(_DAYS)},
    **{name[:3]: ("day", number) for number, name in enumerate(_DAYS)},
    **{f"{name[:3]}.": ("day", number) for number, name in enumerate(_DAYS)},
    "SEPT": ("month", 9),
    "TUES": ("day", 2),
    "WEDNES": ("day", 3),
    "THUR": ("day", 4),
    "THURS": ("day", 4),
    **dict.fromkeys(("AM", "A.M."), ("meridian", 0)),
    **dict.fromkeys(("PM", "P.M."), ("meridian", 12)),
    **dict.fromkeys(("GMT", "UT", "UTC"), ("zone", 0)),
}

# Names of zones by minutes ahead of UTC in standard time.
_ZONES = {
    name: minutes
    for minutes, names in (
        *((0, "WET"), (-180, "ART BRT"), (-210, "NST"), (-240, "AST CLT"), (-300, "EST")),
        *((-360, "CST"), (-420, "MST"), (-480, "PST"), (-540, "AKST"), (-600, "HST HAST")),
        *((-720, "SST"), (60, "WAT CET MET MEZ"), (120, "EET CAT SAST"), (180, "EAT MSK")),
        *((330, "IST"), (480, "SGT"), (540, "KST JST"), (600, "GST"), (720, "NZST")),
    )
    for name in names.split()
}

# Names for summer time, an hour ahead of these minutes.
_DAY_ZONES = {
    name: minutes
    for minutes, names in (
        *((0, "WEST BST"), (-180, "BRST"), (-210, "NDT"), (-240, "ADT CLST"), (-300, "EDT")),
        *((-360, "CDT"), (-420, "MDT"), (-480, "PDT"), (-540, "AKDT"), (-600, "HADT")),
        *((60, "CEST MEST MESZ"), (120, "EEST"), (180, "MSD"), (720, "NZDT")),
    )
    for name in names.split()
}

# Each unit with what it changes and by how much.
UNITS = {
    "YEAR": ("year", 1),
    "MONTH": ("month", 1),
    "FORTNIGHT": ("day", 14),
    "WEEK": ("day", 7),
    "DAY": ("day", 1),
    "HOUR": ("second", 3600),
    "MINUTE": ("second", 60),
    "MIN": ("second", 60),
    "SECOND": ("second", 1),
    "SEC": ("second", 1),
}

_RELATIVE: dict[str, tuple[str, int]] = {
    "TOMORROW": ("shift", 1),
    "YESTERDAY": ("shift", -1),
    "TODAY": ("shift", 0),
    "NOW": ("shift", 0),
    "LAST": ("ordinal", -1),
    "THIS": ("ordinal", 0),
    "NEXT": ("ordinal", 1),
    **{name: ("ordinal", number) for number, name in enumerate(_ORDINALS, 1) if name},
    "AGO": ("ago", -1),
    "HENCE": ("ago", 1),
    # Military letters, with the signs they have in RFC 822, which are not those of today.
    **{letter: ("zone", -60 * hours) for hours, letter in enumerate("ABCDEFGHI", 1)},
    **{letter: ("zone", -60 * hours) for hours, letter in enumerate("KLM", 10)},
    **{letter: ("zone", 60 * hours) for hours, letter in enumerate("NOPQRS", 1)},
    "T": ("T", 420),
    **{letter: ("zone", 60 * hours) for hours, letter in enumerate("UVWXY", 8)},
    "Z": ("zone", 0),
}


class ParseError(Exception):
    """The text is no date; whoever has the text makes the message."""


class Token:
    """A number, word or mark.

    Kinds are ``number`` and ``signed`` for integers without and with a sign, ``fraction`` and
    ``signed fraction`` for decimal ones (in units of 10^-9), ``month``, ``day``, ``meridian``,
    ``zone``, ``day zone``, ``local zone``, ``dst``, ``unit``, ``shift``, ``ordinal``, ``ago``,
    ``T``, ``end``, or a mark itself.  The value of a local zone says whether it means daylight
    saving: 1, 0, or -1 for both.
    """

    __slots__ = ("digits", "kind", "minus", "value", "word")

    def __init__(
        self, kind: str, value: int = 0, *, word: str = "", digits: int = 0, minus: bool = False
    ) -> None:
        self.kind = kind
        self.value = value
        self.word = word
        self.digits = digits
        self.minus = minus

    def __repr__(self) -> str:
        return f"Token({self.kind!r}, {self.value}, word={self.word!r}, digits={self.digits})"


def tokens(text: str, local_zones: Mapping[str, bool | None]) -> list[Token]:
    """The words, numbers and marks of a text, and an end.

    Args:
        text: What the user wrote.
        local_zones: The names of the local zone, and whether each means daylight saving.

    Raises:
        ParseError: for unknown words and numbers that are too large.
    """
    found = []
    at = 0
    while at < len(text):
        char = text[at]
        if char in _BLANKS:
            at += 1
        elif char == "(":
            at = _after_comment(text, at)
        elif char in _DIGITS:
            token, at = _number(text, at, "")
            found.append(token)
        elif char in _LETTERS:
            start = at
            while at < len(text) and (text[at] in _LETTERS or text[at] == "."):
                at += 1
            found.append(_word(text[start:at].upper(), local_zones))
        else:
            at += 1
            if char not in "+-":
                found.append(Token(char))
                continue
            while at < len(text) and text[at] in _BLANKS:
                at += 1
            # A sign that no number follows does not count.
            if at < len(text) and text[at] in _DIGITS:
                token, at = _number(text, at, char)
                found.append(token)
    found.append(Token("end"))
    return found


def _after_comment(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        depth += (text[at] == "(") - (text[at] == ")")
        at += 1
        if depth == 0:
            break
    return at


def _number(text: str, at: int, sign: str) -> tuple[Token, int]:
    """The number at a position, and the position after it."""
    start = at
    at = _after_digits(text, at)
    digits = at - start
    minus = sign == "-"
    whole = text[start:at].lstrip("0")
    if len(whole) > 19 or int(whole or "0") >= INT64 + minus:
        raise ParseError
    value = int(whole or "0")
    kind = "signed" if sign else "number"
    if text[at : at + 1] in {".", ","} and text[at + 1 : at + 2] in _DIGITS:
        end = _after_digits(text, at + 1)
        fraction = text[at + 1 : end]
        value = value * NANO + int(fraction[:9].ljust(9, "0"))
        # What is finer rounds down, which with a minus is away from zero.
        if minus and fraction[9:].strip("0"):
            value += 1
        kind = "signed fraction" if sign else "fraction"
        at = end
    return Token(kind, -value if minus else value, digits=digits, minus=minus), at


def _after_digits(text: str, at: int) -> int:
    while at < len(text) and text[at] in _DIGITS:
        at += 1
    return at


def _word(word: str, local_zones: Mapping[str, bool | None]) -> Token:
    if word in _WORDS:
        kind, value = _WORDS[word]
        return Token(kind, value, word=word)
    zone = _zone(word, local_zones)
    if zone is not None:
        return zone
    if word == "DST":
        return Token("dst")
    unit = word if word in UNITS else word.removesuffix("S")
    if unit in UNITS:
        return Token("unit", word=unit)
    if word in _RELATIVE:
        kind, value = _RELATIVE[word]
        return Token(kind, value)
    zone = _zone(word.replace(".", ""), local_zones) if "." in word else None
    if zone is not None:
        return zone
    raise ParseError


def _zone(word: str, local_zones: Mapping[str, bool | None]) -> Token | None:
    if _WORDS.get(word, ("", 0))[0] == "zone":
        return Token("zone", 0)
    if word in local_zones:
        saving = local_zones[word]
        return Token("local zone", -1 if saving is None else int(saving))
    if word in _ZONES:
        return Token("zone", _ZONES[word])
    if word in _DAY_ZONES:
        return Token("day zone", _DAY_ZONES[word])
    return None
