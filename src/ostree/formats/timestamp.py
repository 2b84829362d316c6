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

from time import gmtime

from ostree.errors import FormatError
from ostree.formats.date_text import days_since_1970
from ostree.formats.date_words import INT64, NANO, UNITS, ParseError, Token, tokens
from ostree.formats.time_zone import zone_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

    from ostree.formats.time_zone import Zone

_DAY = 86400
# The C library counts years from 1900 in 32 bits.
_INT32 = (1 << 31) - 1
_MAX_YEAR = _INT32 + 1900


def parse_date(text: str, *, now: float, tz: tzinfo | Zone) -> int:
    """The seconds since 1970 that a text in the input syntax of GNU ``date`` means.

    Args:
        text: What the user wrote; nothing at all means today at midnight.
        now: What relative dates are relative to, in seconds since 1970.
        tz: The local time zone.

    Returns:
        Whole seconds, rounded down; negative before 1970.

    Raises:
        FormatError: ``Could not parse 'X'``.
    """
    zone = zone_of(tz)
    try:
        found = tokens(text, zone.names(int(now)))
        if found[0].kind == "@":
            result = _epoch(found[1:])
        else:
            items = _Items(found)
            items.read()
            result = items.resolve(zone, round(now * NANO))
        if not -INT64 <= result < INT64:
            raise ParseError
    except ParseError:
        raise FormatError(f"Could not parse '{text}'") from None
    return result


def _epoch(found: list[Token]) -> int:
    """The seconds after an ``@``."""
    if len(found) != 2:
        raise ParseError
    if found[0].kind in {"number", "signed"}:
        return found[0].value
    if found[0].kind in {"fraction", "signed fraction"}:
        return found[0].value // NANO
    raise ParseError


class _Year:
    """A year and how many digits it was written with."""

    __slots__ = ("digits", "value")

    def __init__(self, value: int, digits: int) -> None:
        self.value = value
        self.digits = digits

    def full(self) -> int:
        if self.value < 0:
            return -self.value
        if self.digits == 2:
            return self.value + (2000 if self.value < 69 else 1900)
        return self.value


class _Items:
    """What a text says, item by item."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._seen = {"date": 0, "time": 0, "zone": 0, "day": 0}
        self._relative = {"year": 0, "month": 0, "day": 0, "second": 0}
        self._is_relative = False
        self._year: _Year | None = None
        self._month = self._day = 0
        self._clock = (0, 0, 0)  # hour, minute, nanoseconds
        self._offset: int | None = None  # minutes
        self._saving: bool | None = None
        self._weekday = self._ordinal = 0

    # Reading

    def read(self) -> None:
        """Read all items.

        Raises:
            ParseError: if something is no item, or an item stands twice.
        """
        while self._next() != "end":
            first = self._take()
            if first.kind == "number":
                self._read_number(first)
            else:
                self._read_other(first)
            if max(self._seen.values()) > 1:
                raise ParseError

    def _next(self, ahead: int = 0) -> str:
        """The kind of the token some places ahead."""
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)].kind

    def _next_is(self, *kinds: str) -> bool:
        return all(self._next(ahead) == kind for ahead, kind in enumerate(kinds))

    def _take(self, *kinds: str) -> Token:
        token = self._tokens[self._at]
        if kinds and token.kind not in kinds:
            raise ParseError
        self._at += 1
        return token

    def _accept(self, kind: str) -> bool:
        if self._next() != kind:
            return False
        self._at += 1
        return True

    def _read_number(self, first: Token) -> None:
        """An item that starts with a number without sign."""
        following = self._next()
        if following == "meridian":
            self._set_time(first, 0, 0, self._take())
        elif following == ":":
            self._read_clock(first)
        elif following == "/":
            self._read_slashes(first)
        elif following == "month":
            month = self._take().value
            year = self._written_year() if self._next() in {"number", "signed"} else None
            self._set_date(year, month, first.value)
        elif self._next_is("signed", "signed"):
            month, day = -self._take().value, -self._take().value
            self._set_date(_Year(first.value, first.digits), month, day)
            if self._accept("T"):
                self._read_iso_time()
        elif self._next_is("signed", "unit"):
            self._set_by_number(first)
            self._read_relative()
        elif following == "signed":
            self._set_time(first, 0, 0, None)
            self._set_zone(self._read_offset())
        elif following == "unit":
            self._add_units(first.value)
        elif following == "day":
            self._set_weekday(self._take().value, first.value)
        else:
            self._set_by_number(first)

    def _read_other(self, first: Token) -> None:
        """An item that starts with anything else."""
        kind = first.kind
        if kind == "month":
            self._read_from_month(first.value)
        elif kind == "day":
            self._accept(",")
            self._set_weekday(first.value, 0)
        elif kind == "shift":
            self._add("day", first.value)
        elif kind == "unit" or (kind in {"signed", "ordinal"} and self._next() == "unit"):
            if kind == "unit":
                self._at -= 1
            self._add_units(1 if kind == "unit" else first.value)
        elif kind in {"fraction", "signed fraction"}:
            if UNITS.get(self._take("unit").word) != ("second", 1):
                raise ParseError
            self._add("second", first.value * self._read_direction())
        elif kind == "ordinal":
            self._set_weekday(self._take("day").value, first.value)
        elif kind == "local zone":
            self._seen["zone"] += 1
            saving = 1 if self._accept("dst") else first.value
            self._saving = None if saving < 0 else bool(saving)
        elif kind == "day zone":
            self._set_zone(first.value + 60)
        elif kind in {"zone", "T"}:
            self._read_zone(first)
        else:
            raise ParseError

    def _read_clock(self, first: Token) -> None:
        """``:30``, ``:30:15.5`` after an hour, then ``pm`` or an offset."""
        if self._next_is(":", "number", "meridian"):
            self._take()
            self._set_time(first, self._take().value, 0, self._take())
            return
        minute, second = self._read_minutes()
        if self._next() == "meridian":
            self._set_time(first, minute, second, self._take())
            return
        self._set_time(first, minute, second, None)
        if self._next() == "signed":
            self._set_zone(self._read_offset())

    def _read_iso_time(self) -> None:
        """What follows the ``T``: an hour alone needs an offset."""
        hour = self._take("number")
        minute = second = 0
        if self._next() == ":":
            minute, second = self._read_minutes()
        elif self._next() != "signed":
            raise ParseError
        self._set_time(hour, minute, second, None)
        if self._next() == "signed":
            self._set_zone(self._read_offset())

    def _read_minutes(self) -> tuple[int, int]:
        """The minute and nanoseconds of ``:30`` or ``:30:15.5``."""
        self._take(":")
        minute = self._take("number").value
        if not self._accept(":"):
            return minute, 0
        second = self._take("number", "fraction")
        return minute, second.value * (NANO if second.kind == "number" else 1)

    def _read_slashes(self, first: Token) -> None:
        """``/1`` or ``/1/2`` after a number: month and day, with a year at either end."""
        self._take("/")
        second = self._take("number")
        if not self._accept("/"):
            self._set_date(None, first.value, second.value)
            return
        third = self._take("number")
        if first.digits >= 4:
            self._set_date(_Year(first.value, first.digits), second.value, third.value)
        else:
            self._set_date(_Year(third.value, third.digits), first.value, second.value)

    def _read_from_month(self, month: int) -> None:
        """``17``, ``17, 1992`` or ``-17-1992`` after the name of a month."""
        if self._next() == "signed":
            day = -self._take().value
            if self._next() != "signed":
                raise ParseError
            self._set_date(self._written_year(), month, day)
            return
        day = self._take("number").value
        year = None
        if self._accept(","):
            if self._next() != "number":
                raise ParseError
            year = self._written_year()
        self._set_date(year, month, day)

    def _written_year(self) -> _Year:
        """A year; what looks like its minus is the dash in front of it."""
        token = self._take()
        return _Year(token.value if token.kind == "number" else -token.value, token.digits)

    def _read_zone(self, first: Token) -> None:
        """``+3`` or ``DST`` after the name of a zone, or a relative item that has a sign."""
        if self._next_is("signed", "unit"):
            self._set_zone(first.value)
            self._read_relative()
        elif first.kind == "zone" and self._next() == "signed":
            self._set_zone(first.value + self._read_offset())
        elif first.kind == "zone" and self._accept("dst"):
            self._set_zone(first.value + 60)
        else:
            self._set_zone(first.value)

    def _read_offset(self) -> int:
        """The minutes of ``+5``, ``+0530`` or ``+05:30``."""
        hours = self._take("signed")
        if self._accept(":"):
            minute = self._take("number").value
            minutes = hours.value * 60 + (-minute if hours.minus else minute)
        elif hours.digits <= 2:
            minutes = hours.value * 60
        else:
            whole, rest = divmod(abs(hours.value), 100)
            minutes = whole * 60 + rest
            if hours.minus:
                minutes = -minutes
        if abs(minutes) > 24 * 60:
            raise ParseError
        return minutes

    def _read_relative(self) -> None:
        """A signed number and a unit where no ``ago`` may follow."""
        number = self._take("signed").value
        unit, factor = UNITS[self._take("unit").word]
        self._add(unit, number * factor * (NANO if unit == "second" else 1))

    def _add_units(self, number: int) -> None:
        """A number of the units that follow, perhaps ``ago``."""
        unit, factor = UNITS[self._take("unit").word]
        direction = self._read_direction()
        self._add(unit, number * factor * direction * (NANO if unit == "second" else 1))

    def _read_direction(self) -> int:
        return self._take().value if self._next() == "ago" else 1

    # Remembering

    def _add(self, unit: str, number: int) -> None:
        self._is_relative = True
        self._relative[unit] += number

    def _set_date(self, year: _Year | None, month: int, day: int) -> None:
        self._seen["date"] += 1
        self._month = month
        self._day = day
        if year is not None:
            self._year = year

    def _set_time(self, hour: Token, minute: int, second: int, meridian: Token | None) -> None:
        self._seen["time"] += 1
        value = hour.value
        if meridian is not None:
            if not 1 <= value <= 12:
                raise ParseError
            value = value % 12 + meridian.value
        self._clock = (value, minute, second)

    def _set_zone(self, minutes: int) -> None:
        self._seen["zone"] += 1
        self._offset = minutes

    def _set_weekday(self, day: int, ordinal: int) -> None:
        self._seen["day"] += 1
        self._weekday = day
        self._ordinal = ordinal

    def _set_by_number(self, number: Token) -> None:
        """A number by itself: the year that a date lacks, a date (YYYYMMDD), or a time (HHMM)."""
        value, digits = number.value, number.digits
        if (
            self._seen["date"]
            and self._year is None
            and not self._is_relative
            and (self._seen["time"] or digits > 2)
        ):
            self._year = _Year(value, digits)
        elif digits > 4:
            year = _Year(value // 10000, digits - 4)
            self._set_date(year, value // 100 % 100, value % 100)
        else:
            self._seen["time"] += 1
            self._clock = (value, 0, 0) if digits <= 2 else (value // 100, value % 100, 0)

    # The result

    def resolve(self, zone: Zone, now: int) -> int:
        """The time that all items together mean, in seconds.

        Args:
            zone: The local time zone.
            now: The present time in nanoseconds.

        Raises:
            ParseError: if there is no such date or time.
        """
        ahead = zone.offset(now // NANO)
        today = gmtime(now // NANO + ahead)
        hour, minute, nanoseconds = self._clock
        only_relative = self._is_relative and not any(
            self._seen[kind] for kind in ("date", "time", "day")
        )
        if only_relative:
            hour, minute = today.tm_hour, today.tm_min
            nanoseconds = today.tm_sec * NANO + now % NANO
        if hour > 23 or minute > 59 or nanoseconds >= 60 * NANO:
            raise ParseError
        year, month, day = today.tm_year, today.tm_mon, today.tm_mday
        if self._seen["date"]:
            month, day = self._month, self._day
        if self._year is not None:
            year = self._year.full()
        if year > _MAX_YEAR or not _is_date(year, month, day):
            raise ParseError
        clock = hour * 3600 + minute * 60 + nanoseconds // NANO
        wall = days_since_1970(year, month, day) * _DAY + clock
        moved = self._moved(wall, year, month, day)
        if self._offset is not None:
            start = moved - self._offset * 60
        elif only_relative and not self._seen["zone"]:
            # What is relative to now keeps the offset of now, be it summer then or winter.
            start = moved - ahead
        else:
            start = self._locally(zone, wall, moved)
        total = start * NANO + nanoseconds % NANO + self._relative["second"]
        return total // NANO

    def _locally(self, zone: Zone, written: int, moved: int) -> int:
        """The moment of a local time that must exist, and mean what a zone's name said of it."""
        moments = zone.moments(written)
        if self._saving is not None:
            moments = [moment for moment in moments if zone.at(moment)[1] is self._saving]
        if not moments:
            raise ParseError
        if moved == written:
            return moments[-1]
        if self._saving is not None:
            return moved - zone.offset(moments[-1])
        return zone.moment(moved)

    def _moved(self, wall: int, year: int, month: int, day: int) -> int:
        """A wall time after the day of the week and relative years, months and days."""
        clock = wall % _DAY
        if self._seen["day"] and not self._seen["date"]:
            today = (days_since_1970(year, month, day) + 4) % 7
            weeks = self._ordinal
            if weeks > 0 and today != self._weekday:
                weeks -= 1
            if abs(weeks) * 7 > _INT32:
                raise ParseError
            days = (self._weekday - today) % 7 + 7 * weeks
            then = gmtime(wall + days * _DAY)
            year, month, day = then.tm_year, then.tm_mon, then.tm_mday
        months = year * 12 + month - 1
        months += self._relative["year"] * 12 + self._relative["month"]
        year, month = divmod(months, 12)
        if abs(year) > _MAX_YEAR or abs(self._relative["day"]) > _INT32:
            raise ParseError
        return days_since_1970(year, month + 1, day + self._relative["day"]) * _DAY + clock


def _is_date(year: int, month: int, day: int) -> bool:
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return False
    following = days_since_1970(year + month // 12, month % 12 + 1, 1)
    return days_since_1970(year, month, day) < following
