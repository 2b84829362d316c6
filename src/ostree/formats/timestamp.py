"""Dates as people write them, in the input syntax of GNU ``date`` (repository format §6.4).

A text is ``@SECONDS``, or items in any order, each kind at most once except relative ones:

* a date: ``2024-01-31``, ``1/31/2024``, ``31 Jan 2024``, ``Jan 31, 2024``, ``20240131``
* a time of day: ``12:00``, ``12:00:30.5``, ``1pm``, with a zone offset right after: ``12:00 +0530``
* a zone: ``UTC``, ``CET``, ``UTC+3``, one military letter
* a day of the week: ``monday``, ``next monday``
* relative: ``2 days ago``, ``-1 week``, ``next month``, ``yesterday``, ``now``

``T`` joins a date and a time of ISO 8601.  Without a date it is today's; without a time it is
midnight, but with nothing but relative items it is now.  The known pitfalls are kept:
``12:00 +1 day`` is noon in the zone +1, and one day later.
"""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.date_text import days_since_1970
from ostree.formats.date_words import (
    DAYS,
    MERIDIANS,
    MILITARY,
    MONTHS,
    ORDINALS,
    SHIFTS,
    UNITS,
    UNIVERSAL_ZONES,
    ZONES,
)
from ostree.formats.time_zone import Zone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

_BLANKS = " \t\n\v\f\r"
_DIGITS = "0123456789"
_NANO = 1_000_000_000
_INT64 = 1 << 63
_MAX_YEAR = (1 << 31) - 1 + 1900


def parse_date(text: str, *, now: float, tz: tzinfo | None = None) -> int:
    """The seconds since 1970 that a text in the input syntax of GNU ``date`` means.

    Args:
        text: What the user wrote; nothing at all means today at midnight.
        now: What relative dates are relative to, in seconds since 1970.
        tz: The local time zone; None is that of the machine.

    Returns:
        Whole seconds, rounded down; negative before 1970.

    Raises:
        FormatError: ``Could not parse 'X'``.
    """
    try:
        tokens = _tokens(text)
        result = _epoch(tokens)
        if result is None:
            zone = Zone(tz)
            items = _Items(tokens, zone, round(now * _NANO))
            items.read()
            result = items.resolve()
        if not -_INT64 <= result < _INT64:
            raise _ParseError
    except _ParseError:
        raise FormatError(f"Could not parse '{text}'") from None
    return result


class _ParseError(Exception):
    """The text is no date; the caller knows the text."""


class _Token:
    """A word or number.

    ``kind`` is ``U`` or ``S`` for an integer without and with sign, ``u`` or ``s`` for a decimal
    fraction, ``W`` for a word, ``.`` for the end, else the character itself.  ``number`` counts
    units, nanoseconds for a decimal fraction; ``digits`` is how many digits were written.
    """

    __slots__ = ("digits", "kind", "negative", "number", "word")

    def __init__(
        self, kind: str, *, word: str = "", number: int = 0, digits: int = 0, negative: bool = False
    ) -> None:
        self.kind = kind
        self.word = word
        self.number = number
        self.digits = digits
        self.negative = negative


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    while at < len(text):
        char = text[at]
        if char in _BLANKS:
            at += 1
        elif char == "(":
            at = _after_comment(text, at)
        elif char in "+-":
            at += 1
            while text[at : at + 1] in {*_BLANKS}:
                at += 1
            # A sign that no number follows does not count.
            if text[at : at + 1] in {*_DIGITS}:
                token, at = _number(text, at, char)
                tokens.append(token)
        elif char in _DIGITS:
            token, at = _number(text, at, "")
            tokens.append(token)
        elif char.isascii() and char.isalpha():
            start = at
            while at < len(text) and text[at].isascii() and (text[at].isalpha() or text[at] == "."):
                at += 1
            tokens.append(_Token("W", word=text[start:at].upper()))
        else:
            tokens.append(_Token(char))
            at += 1
    tokens.append(_Token("."))
    return tokens


def _after_comment(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        depth += (text[at] == "(") - (text[at] == ")")
        at += 1
        if depth == 0:
            break
    return at


def _number(text: str, at: int, sign: str) -> tuple[_Token, int]:
    """The number at a position, and the position after it."""
    start = at
    at = _after_digits(text, at)
    digits = at - start
    whole = text[start:at].lstrip("0")
    if len(whole) > 19:
        raise _ParseError
    number = int(whole or "0")
    if number >= _INT64 + (sign == "-"):
        raise _ParseError
    negative = sign == "-"
    kind = "S" if sign else "U"
    if text[at : at + 1] in {".", ","} and text[at + 1 : at + 2] in {*_DIGITS}:
        end = _after_digits(text, at + 1)
        fraction = text[at + 1 : end]
        number = number * _NANO + int(fraction[:9].ljust(9, "0"))
        # What is finer than nanoseconds rounds down, which is away from zero with a minus.
        if negative and fraction[9:].strip("0"):
            number += 1
        kind = kind.lower()
        at = end
    value = -number if negative else number
    return _Token(kind, number=value, digits=digits, negative=negative), at


def _after_digits(text: str, at: int) -> int:
    while at < len(text) and text[at] in _DIGITS:
        at += 1
    return at


def _epoch(tokens: list[_Token]) -> int | None:
    """The value of ``@SECONDS``, or None if the text does not start like that."""
    if tokens[0].kind != "@":
        return None
    if len(tokens) != 3:
        raise _ParseError
    number = tokens[1]
    if number.kind in {"U", "S"}:
        return number.number
    if number.kind in {"u", "s"}:
        return number.number // _NANO
    raise _ParseError


class _Items:
    """Reads items and remembers what they said; then works out the time they mean."""

    def __init__(self, tokens: list[_Token], zone: Zone, now: int) -> None:
        self.tokens = tokens
        self.at = 0
        self.local = zone
        self.now = now
        self.seen = dict.fromkeys(("date", "time", "zone", "day"), 0)
        self.relative = dict.fromkeys(("year", "month", "day", "second"), 0)
        self.has_relative = False
        self.year: _Token | None = None
        self.month = self.day = 0
        self.hour = self.minute = self.second = 0
        self.offset: int | None = None
        self.dst: bool | None = None
        self.weekday = self.ordinal = 0

    # Looking at tokens

    def kinds(self, count: int) -> str:
        """The kinds of the next tokens; fewer at the end."""
        return "".join(token.kind for token in self.tokens[self.at : self.at + count])

    def take(self) -> _Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def expect(self, kinds: str) -> _Token:
        if self.tokens[self.at].kind not in kinds:
            raise _ParseError
        return self.take()

    def word(self, ahead: int = 0) -> str:
        """The word some tokens ahead, or nothing if there is none."""
        at = self.at + ahead
        return self.tokens[at].word if at < len(self.tokens) else ""

    def accept(self, word: str) -> bool:
        if self.word() != word:
            return False
        self.at += 1
        return True

    # Items

    def read(self) -> None:
        while True:
            token = self.take()
            if token.kind == ".":
                return
            if token.kind == "U":
                self.item_of_number(token)
            elif token.kind == "W":
                self.item_of_word(token.word)
            elif token.kind == "S" and self.word() in UNITS:
                self.relative_unit(token.number)
            elif token.kind in {"u", "s"}:
                self.relative_fraction(token)
            else:
                raise _ParseError
            if max(self.seen.values()) > 1:
                raise _ParseError

    def item_of_number(self, first: _Token) -> None:
        word = self.word()
        kinds = self.kinds(2)
        if word in MERIDIANS:
            self.set_time(first.number, 0, 0, MERIDIANS[self.take().word])
        elif kinds[0] == ":":
            self.clock(first, iso=False)
        elif kinds[0] == "/":
            self.date_with_slashes(first)
        elif word in MONTHS:
            self.at += 1
            year = self.take() if self.kinds(1) in {"U", "S"} else None
            self.set_date(year, MONTHS[word], first.number)
        elif kinds == "SS":
            month, day = self.take(), self.take()
            self.set_date(first, -month.number, -day.number)
            if self.word() == "T":
                self.at += 1
                self.clock(self.expect("U"), iso=True)
        elif kinds[0] == "S" and self.word(1) in UNITS:
            self.bare_number(first)
            self.relative_unit(self.take().number, may_be_ago=False)
        elif kinds[0] == "S":
            self.set_time(first.number, 0, 0, None)
            self.set_zone(self.zone_offset())
        elif word in UNITS:
            self.relative_unit(first.number)
        elif word in DAYS:
            self.at += 1
            self.set_weekday(DAYS[word], first.number)
        else:
            self.bare_number(first)

    def item_of_word(self, word: str) -> None:
        if word in MONTHS:
            self.date_from_month(MONTHS[word])
        elif word in DAYS:
            if self.kinds(1) == ",":
                self.at += 1
            self.set_weekday(DAYS[word], 0)
        elif self.item_of_zone(word):
            pass
        elif word in UNITS:
            self.at -= 1
            self.relative_unit(1)
        elif word in SHIFTS:
            self.has_relative = True
            self.relative["day"] += SHIFTS[word]
        elif word in ORDINALS:
            ordinal = ORDINALS[word]
            if self.word() in UNITS:
                self.relative_unit(ordinal)
            elif self.word() in DAYS:
                self.set_weekday(DAYS[self.take().word], ordinal)
            else:
                raise _ParseError
        elif word in MILITARY:
            self.set_zone(MILITARY[word] * 60)
            if self.word(1) in UNITS and self.kinds(1) == "S":
                self.relative_unit(self.take().number, may_be_ago=False)
        elif not self.item_of_zone(word.replace(".", "")):
            raise _ParseError
