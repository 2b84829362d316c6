"""Dates in the input syntax of GNU date: round trips, and no text breaks the parser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.timestamp import parse_date

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = st.sampled_from(
    [
        *(
            "1",
            "31",
            "2024",
            "+5",
            "-0530",
            "1.5",
            "12:30",
            "2024-02-29",
            "1/2",
            "Jan",
            "mon",
            "am",
        ),
        *("UTC", "CEST", "DST", "days", "ago", "next", "T", ",", "(", "/"),
    ]
)


@given(st.integers(-30_600_000_000, 253_402_200_000), st.integers(-1439, 1439))
def test_iso_8601_is_read_exactly(seconds: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    text = (EPOCH + timedelta(seconds=seconds)).astimezone(zone).isoformat()

    assert parse_date(text, now=0, tz=UTC) == seconds


@given(st.integers(-(2**63), 2**63 - 1))
def test_seconds_are_read_exactly(seconds: int) -> None:
    assert parse_date(f"@{seconds}", now=0, tz=UTC) == seconds


@given(st.one_of(st.text(), st.lists(WORDS, max_size=6).map(" ".join)), st.integers(0, 2**40))
def test_any_text_is_a_date_or_a_format_error(text: str, now: int) -> None:
    try:
        seconds = parse_date(text, now=now, tz=UTC)
    except FormatError:
        return

    assert -(2**63) <= seconds < 2**63
