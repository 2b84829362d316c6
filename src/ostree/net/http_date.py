"""Dates of HTTP headers: ``Sun, 06 Nov 1994 08:49:37 GMT`` and seconds since the epoch.

Independent of the locale, unlike ``strftime``, and without the weight of ``email.utils``.
"""

from __future__ import annotations

import time

from ostree.formats.date_text import days_since_1970

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: 9999-12-31 23:59:59, the last moment the form can express.
_LAST = 253_402_300_799


def format_http_date(timestamp: int) -> str:
    """The RFC 1123 form; times it cannot express are moved to the nearest one it can."""
    moment = time.gmtime(min(max(timestamp, 0), _LAST))
    return (
        f"{_DAYS[moment.tm_wday]}, {moment.tm_mday:02} {_MONTHS[moment.tm_mon - 1]} "
        f"{moment.tm_year:04} {moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02} GMT"
    )


def parse_http_date(text: str) -> int | None:
    """Seconds since the epoch, or ``None`` for anything but 29 characters of the RFC 1123 form."""
    if len(text) != 29 or not text.endswith(" GMT") or text[:3] not in _DAYS or text[3:5] != ", ":
        return None
    digits = text[5:7] + text[12:16] + text[17:19] + text[20:22] + text[23:25]
    if not (digits.isascii() and digits.isdigit()) or text[8:11] not in _MONTHS:
        return None
    if text[7] + text[11] + text[16] + text[19] + text[22] != "   ::":
        return None
    year, month, day = int(digits[2:6]), _MONTHS.index(text[8:11]) + 1, int(digits[:2])
    hour, minute, second = int(digits[6:8]), int(digits[8:10]), int(digits[10:])
    first = days_since_1970(year, month, 1)
    behind = days_since_1970(year + month // 12, month % 12 + 1, 1)
    if year < 1 or not 1 <= day <= behind - first:
        return None
    if hour > 23 or minute > 59 or second > 60:  # 60: a leap second
        return None
    return (first + day - 1) * 86400 + hour * 3600 + minute * 60 + second
