"""Dates in the input syntax of GNU date, against values worked out by the reference command."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ostree.errors import FormatError
from ostree.formats.timestamp import parse_date
from ostree.system.machine_zone import MachineZone

# A Wednesday.
NOW = datetime(2024, 5, 15, 13, 14, 15, 500000, UTC).timestamp()


def shown(text: str, zone: str = "UTC") -> str:
    return datetime.fromtimestamp(parse_date(text, now=NOW, tz=ZoneInfo(zone)), UTC).strftime(
        "%Y-%m-%d %H:%M:%S"
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("@0", 0),
        ("@1700000000", 1700000000),
        ("@-1", -1),
        (" @ +5 ", 5),
        ("@1.9", 1),
        ("@1,9", 1),
        ("@-1.9", -2),
        ("@-1.0", -1),
        ("@-1.0000000001", -2),
        ("@9223372036854775807", 2**63 - 1),
        ("@-9223372036854775808", -(2**63)),
    ],
)
def test_seconds_since_1970(text: str, seconds: int) -> None:
    assert parse_date(text, now=NOW, tz=UTC) == seconds


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-01-31", "2024-01-31 00:00:00"),
        ("24-1-31", "2024-01-31 00:00:00"),
        ("68-01-01", "2068-01-01 00:00:00"),
        ("69-01-01", "1969-01-01 00:00:00"),
        ("20240131", "2024-01-31 00:00:00"),
        ("240131", "2024-01-31 00:00:00"),
        ("1/31/2024", "2024-01-31 00:00:00"),
        ("2024/1/31", "2024-01-31 00:00:00"),
        ("1/31", "2024-01-31 00:00:00"),
        ("31 Jan 2024", "2024-01-31 00:00:00"),
        ("31 January", "2024-01-31 00:00:00"),
        ("31-jan-24", "2024-01-31 00:00:00"),
        ("Jan 31, 2024", "2024-01-31 00:00:00"),
        ("Jan-31-2024", "2024-01-31 00:00:00"),
        ("Sept. 9 2024", "error"),
        ("Sept 9 2024", "2024-09-09 00:00:00"),
        ("2024-01-31T12:30", "2024-01-31 12:30:00"),
        ("2024-01-31 12:30:15.9", "2024-01-31 12:30:15"),
        ("2024-01-31 12", "2024-01-31 12:00:00"),
        ("2024-01-31T12:30:00Z", "2024-01-31 12:30:00"),
        ("2024-01-31T12:30:00+05:30", "2024-01-31 07:00:00"),
        ("2024-01-31T12+05", "2024-01-31 07:00:00"),
        ("2024-01-31 12:30 -0330", "2024-01-31 16:00:00"),
        ("2024-01-31 12:30 CET", "2024-01-31 11:30:00"),
        ("2024-01-31 12:30 EST DST", "2024-01-31 16:30:00"),
        ("2024-01-31 12:30 UTC+3", "2024-01-31 09:30:00"),
        ("2024-01-31 12:30 A", "2024-01-31 13:30:00"),
        ("Mon, 01 Jan 2024 12:00:00 +0000", "2024-01-01 12:00:00"),
        ("Mon Jan  1 12:00:00 UTC 2024", "2024-01-01 12:00:00"),
        ("2024-01-31 (last day (of it)) 1pm", "2024-01-31 13:00:00"),
        ("2024-01-31 12 a.m.", "2024-01-31 00:00:00"),
    ],
)
def test_absolute_dates(text: str, date: str) -> None:
    if date == "error":
        with pytest.raises(FormatError):
            shown(text)
        return
    assert shown(text) == date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("", "2024-05-15 00:00:00"),
        ("UTC", "2024-05-15 00:00:00"),
        ("now", "2024-05-15 13:14:15"),
        ("today", "2024-05-15 13:14:15"),
        ("yesterday", "2024-05-14 13:14:15"),
        ("tomorrow 12:00", "2024-05-16 12:00:00"),
        ("12", "2024-05-15 12:00:00"),
        ("1230", "2024-05-15 12:30:00"),
        ("2 days ago", "2024-05-13 13:14:15"),
        ("-1 week", "2024-05-08 13:14:15"),
        ("-1 week ago", "2024-05-22 13:14:15"),
        ("last week", "2024-05-08 13:14:15"),
        ("next month", "2024-06-15 13:14:15"),
        ("third day", "2024-05-18 13:14:15"),
        ("2 hours 3 min hence", "2024-05-15 15:17:15"),
        ("0.5 seconds", "2024-05-15 13:14:16"),
        ("fortnight", "2024-05-29 13:14:15"),
        ("2024-01-31 + 1 month", "2024-03-02 00:00:00"),
        ("2024-02-29 1 year", "2025-03-01 00:00:00"),
        ("2024-01-31 12:00 +1 day", "2024-02-01 11:00:00"),
        ("wednesday", "2024-05-15 00:00:00"),
        ("monday", "2024-05-20 00:00:00"),
        ("next wed", "2024-05-22 00:00:00"),
        ("last mon", "2024-05-13 00:00:00"),
        ("2 fri", "2024-05-24 00:00:00"),
    ],
)
def test_dates_relative_to_now(text: str, date: str) -> None:
    assert shown(text) == date


@pytest.mark.parametrize(
    "text",
    [
        *("1700000000", "170000", "12345", "24", "2360", "2024-02-30", "2024-13-01", "2024-01-00"),
        *(
            "noon",
            "foo",
            "é",
            "@",
            "@1e3",
            "@5 utc",
            "@9223372036854775808",
            "12:00 13:00",
            "1 2 3",
        ),
        *("UTC UTC", "mon tue", "2024-01-01 24:00", "2024-01-01 12:00:60", "13pm", "0 am", "DST"),
        *(
            "2024-01-01T12",
            "Jan 2024",
            "January 1st, 2024",
            "12:00 +25",
            "99999999999999999999 days",
        ),
        *("9223372036854775807 sec", "99999999999-01-01", "1.5 days", "ago", "last", "2024-01-01)"),
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_date(text, now=NOW, tz=UTC)

    assert str(caught.value) == f"Could not parse '{text}'"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-01-01 12:00", "2024-01-01 11:00:00"),
        ("2024-07-01 12:00", "2024-07-01 10:00:00"),
        ("2024-07-01 12:00 UTC", "2024-07-01 12:00:00"),
        ("2024-07-01 12:00 CEST", "2024-07-01 10:00:00"),
        ("2024-10-27 02:30 CET", "2024-10-27 01:30:00"),
        ("2024-10-27 02:30 CEST", "2024-10-27 00:30:00"),
        ("2024-03-30 12:00 1 day", "2024-03-31 10:00:00"),
        ("2024-03-30 12:00 24 hours", "2024-03-31 11:00:00"),
        ("2024-03-30 02:30 1 day", "2024-03-31 01:30:00"),
        ("8 months", "2025-01-15 13:14:15"),
    ],
)
def test_local_time_follows_the_zone(text: str, date: str) -> None:
    assert shown(text, "Europe/Berlin") == date


@pytest.mark.parametrize("text", ["2024-03-31 02:30", "2024-07-01 CET", "2024-01-01 CEST"])
def test_local_times_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        shown(text, "Europe/Berlin")


def test_the_zone_can_be_that_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XXX-05:30")
        time.tzset()
        seconds = parse_date("1970-01-01", now=NOW, tz=MachineZone())
    time.tzset()

    assert seconds == -19800
