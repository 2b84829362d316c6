"""Dates: what is printed means what was given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ostree.formats.date_text import (
    days_since_1970,
    format_local,
    format_utc,
)

REPRESENTABLE = st.integers(-62135596800, 253402300799)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(REPRESENTABLE)
def test_utc_is_what_datetime_says(timestamp: int) -> None:
    moment = EPOCH + timedelta(seconds=timestamp)

    text = format_utc(timestamp % 2**64)

    assert text == f"{moment.year}-{moment:%m-%d %H:%M:%S} +0000"
    assert format_local(timestamp % 2**64, UTC) == f"{moment.year}-{moment:%m-%dT%H:%M:%S}+00"


@given(st.integers(-(2**70), 2**70))
def test_any_number_has_a_local_text(timestamp: int) -> None:
    assert format_local(timestamp, UTC)


@given(st.dates())
def test_days_are_counted_as_datetime_counts_them(day: datetime) -> None:
    assert days_since_1970(day.year, day.month, day.day) == day.toordinal() - 719163
