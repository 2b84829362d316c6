"""Dates of HTTP headers."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.net.http_date import format_http_date, parse_http_date


@given(st.integers(0, 253_402_300_799))
def test_dates_are_those_of_the_mail_library_and_come_back(timestamp: int) -> None:
    text = format_http_date(timestamp)

    if timestamp < 2**33:
        assert text == formatdate(timestamp, usegmt=True)
    assert parse_http_date(text) == timestamp


def test_times_out_of_range_are_moved_into_it() -> None:
    assert format_http_date(-5) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert format_http_date(10**15) == "Fri, 31 Dec 9999 23:59:59 GMT"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37  GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08-49:37 GMT",
        "Sun, 06 Nov +994 08:49:37 GMT",
        "Sun, ０６ Nov 1994 08:49:37 GMT",
        "Sun, 2 Nov 2026 20:36:03 GMT",
        "Sun, 22 Nov 2026 20:36:03 GMT ",
        "Sun, 22 Xxx 2026 20:36:03 GMT",
        "Sun, 31 Nov 2026 20:36:03 GMT",
        "Wed, 29 Feb 2023 20:36:03 GMT",
        "Sun, 22 Nov 2026 +1:36:03 GMT",
        "Sun, 22 Nov 2026 20:36:03+GMT",
    ],
)
def test_anything_else_is_no_date(text: str) -> None:
    assert parse_http_date(text) is None


@given(st.text(max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    assert parse_http_date(text) is None or len(text) == 29
