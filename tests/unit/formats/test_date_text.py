"""Dates as they are printed, and those of HTTP."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from ostree.errors import FormatError
from ostree.formats.date_text import (
    days_since_1970,
    format_c,
    format_local,
    format_rfc3339,
    format_utc,
    is_representable,
)
from ostree.system.machine_zone import MachineZone

INVALID = [253402300800, 2**63 - 1, 2**63, 2**64 - 62135596801]


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (0, "1970-01-01 00:00:00 +0000"),
        (1700000000, "2023-11-14 22:13:20 +0000"),
        (2**64 - 1, "1969-12-31 23:59:59 +0000"),
        (-1, "1969-12-31 23:59:59 +0000"),
        (253402300799, "9999-12-31 23:59:59 +0000"),
        (2**64 - 62135596800, "1-01-01 00:00:00 +0000"),
    ],
)
def test_utc(timestamp: int, text: str) -> None:
    assert is_representable(timestamp)
    assert format_utc(timestamp) == text


@pytest.mark.parametrize("timestamp", INVALID)
def test_what_cannot_be_shown_is_an_invalid_timestamp(timestamp: int) -> None:
    assert not is_representable(timestamp)
    assert format_local(timestamp, UTC) == "invalid"
    with pytest.raises(FormatError) as caught:
        format_utc(timestamp)
    assert str(caught.value) == f"Invalid timestamp: {timestamp}"
    with pytest.raises(FormatError):
        format_c(timestamp)


@pytest.mark.parametrize(
    ("zone", "timestamp", "text"),
    [
        ("UTC", 1700000000, "2023-11-14T22:13:20+00"),
        ("Asia/Kolkata", 1700000000, "2023-11-15T03:43:20+05:30"),
        ("America/St_Johns", 1700000000, "2023-11-14T18:43:20-03:30"),
        ("Asia/Kolkata", -61135596800, "32-09-09T07:40:08+05:53:28"),
        ("Asia/Kolkata", 253402300799, "invalid"),
    ],
)
def test_local_dates_have_the_shortest_offset(zone: str, timestamp: int, text: str) -> None:
    assert format_local(timestamp, ZoneInfo(zone)) == text


def test_a_fixed_offset_is_a_zone() -> None:
    zone = timezone(timedelta(hours=-9))

    assert format_local(0, zone) == "1969-12-31T15:00:00-09"


def test_the_zone_can_be_that_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XXX-05:30")
        time.tzset()
        text = format_local(0, MachineZone())
    time.tzset()

    assert text == "1970-01-01T05:30:00+05:30"


def test_a_day_of_one_digit_is_padded_with_a_figure_space() -> None:
    assert format_c(1704153600) == "Tue Jan \u20072 00:00:00 2024"
    assert format_c(1705000000) == "Thu Jan 11 19:06:40 2024"
    zone = timezone(timedelta(hours=-5, minutes=-30))
    assert format_c(1704153600, zone) == "Mon Jan \u20071 18:30:00 2024"


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (1700000000, "2023-11-14T22:13:20Z"),
        (2**64 - 1, "1969-12-31T23:59:59Z"),
        (2**64 - 62135596800, "0001-01-01T00:00:00Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
        (253402300800, None),
    ],
)
def test_dates_of_programs(timestamp: int, text: str | None) -> None:
    assert format_rfc3339(timestamp) == text


def test_days_outside_of_their_month_are_counted_on() -> None:
    assert days_since_1970(1970, 1, 1) == 0
    assert days_since_1970(2024, 2, 30) == days_since_1970(2024, 3, 1)
    assert days_since_1970(2000, 3, 0) == days_since_1970(2000, 2, 29)


def test_importing_it_costs_next_to_nothing() -> None:
    program = (
        "import sys, ostree.errors; before = set(sys.modules); "
        "import ostree.formats.date_text, ostree.formats.size_text; "
        "print(*sorted(set(sys.modules) - before))"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    names = result.stdout.split()
    assert names == ["ostree.formats", "ostree.formats.date_text", "ostree.formats.size_text"]
