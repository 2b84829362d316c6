"""Timestamps as upstream prints them, and the dates of HTTP.

A timestamp is an unsigned 64-bit number of seconds since 1970; one beyond 2^63 stands for a time
before.  Only the years 1 to 9999 can be shown (repository format §6.4, §7.1).  Names of days and
months are English whatever the locale.
"""

from __future__ import annotations

import time

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

    from ostree.formats.time_zone import Zone

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# The first second of year 1 and the last of year 9999.
_FIRST = -62135596800
_LAST = 253402300799


def is_representable(timestamp: int) -> bool:
    """Whether the timestamp is a date that can be shown."""
    return _FIRST <= signed_timestamp(timestamp) <= _LAST


def format_utc(timestamp: int) -> str:
    """``YYYY-MM-DD HH:MM:SS +0000``; as in GLib, years before 1000 have fewer digits.

    Raises:
        FormatError: ``Invalid timestamp: N`` if it cannot be shown.
    """
    t = _utc(timestamp)
    return f"{_date(t)} {_clock(t)} +0000"


def format_local(timestamp: int, tz: tzinfo | Zone) -> str:
    """``2023-11-14T22:13:20+05:30``, or ``invalid`` if it cannot be shown.

    The offset is as short as it can be: ``+00``, ``-03:30``, ``+00:19:32``.

    Args:
        timestamp: What to show.
        tz: In which time zone.
    """
    if not is_representable(timestamp):
        return "invalid"
    from ostree.formats.time_zone import zone_of

    signed = signed_timestamp(timestamp)
    offset = zone_of(tz).offset(signed)
    if not is_representable(signed + offset):
        return "invalid"
    t = time.gmtime(signed + offset)
    sign = "-" if offset < 0 else "+"
    hours, rest = divmod(abs(offset), 3600)
    minutes, seconds = divmod(rest, 60)
    zone = f"{sign}{hours:02}"
    if rest:
        zone += f":{minutes:02}"
    if seconds:
        zone += f":{seconds:02}"
    return f"{_date(t)}T{_clock(t)}{zone}"


def format_c(timestamp: int, tz: tzinfo | Zone | None = None) -> str:
    """``Tue Jan 02 00:00:00 2024``; for the 0 of the day stands U+2007 (FIGURE SPACE).

    Args:
        timestamp: What to show.
        tz: In which time zone; UTC if None.

    Raises:
        FormatError: ``Invalid timestamp: N`` if it cannot be shown.
    """
    t = _utc(timestamp)
    if tz is not None:
        from ostree.formats.time_zone import zone_of

        signed = signed_timestamp(timestamp)
        t = _utc(signed + zone_of(tz).offset(signed))
    day = str(t.tm_mday).rjust(2, "\u2007")
    return f"{_DAYS[t.tm_wday]} {_MONTHS[t.tm_mon - 1]} {day} {_clock(t)} {t.tm_year}"


def format_rfc3339(timestamp: int) -> str | None:
    """``2023-11-14T22:13:20Z``; None if it cannot be shown."""
    if not is_representable(timestamp):
        return None
    t = _utc(timestamp)
    return f"{t.tm_year:04}-{t.tm_mon:02}-{t.tm_mday:02}T{_clock(t)}Z"


def days_since_1970(year: int, month: int, day: int) -> int:
    """The number of a day in the Gregorian calendar; the day may lie outside of its month."""
    if month <= 2:
        year -= 1
        month += 12
    # Years counted from March make the leap day the last of its year.
    before = 365 * year + year // 4 - year // 100 + year // 400
    return before + (153 * (month - 3) + 2) // 5 + day - 719469


def signed_timestamp(timestamp: int) -> int:
    """The seconds since 1970, negative for a time before."""
    return (timestamp + (1 << 63)) % (1 << 64) - (1 << 63)


def _utc(timestamp: int) -> time.struct_time:
    if not is_representable(timestamp):
        raise FormatError(f"Invalid timestamp: {timestamp % (1 << 64)}")
    return time.gmtime(signed_timestamp(timestamp))


def _date(t: time.struct_time) -> str:
    return f"{t.tm_year}-{t.tm_mon:02}-{t.tm_mday:02}"


def _clock(t: time.struct_time) -> str:
    return f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}"
