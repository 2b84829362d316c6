"""Conditional requests."""

from __future__ import annotations

import pytest

from ostree.server.preconditions import allows_range, is_not_modified

ETAG = '"1-2-3"'
MODIFIED = 784111777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
UPSTREAM_DATE = "Sun, 06 Nov 1994 08:49:37 UTC"


@pytest.mark.parametrize(
    ("headers", "current"),
    [
        ({}, False),
        ({"if-none-match": ETAG}, True),
        ({"if-none-match": f'"x", {ETAG}'}, True),
        ({"if-none-match": f"W/{ETAG}"}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": '"x"'}, False),
        ({"if-none-match": ""}, False),
        ({"if-modified-since": DATE}, True),
        ({"if-modified-since": UPSTREAM_DATE}, True),
        ({"if-modified-since": LATER}, True),
        ({"if-modified-since": EARLIER}, False),
        ({"if-modified-since": "yesterday"}, False),
        ({"if-none-match": '"x"', "if-modified-since": LATER}, False),
        ({"if-none-match": ETAG, "if-modified-since": EARLIER}, True),
    ],
)
def test_whether_the_copy_of_the_client_is_current(
    headers: dict[str, str], *, current: bool
) -> None:
    assert is_not_modified(headers, ETAG, MODIFIED) is current


@pytest.mark.parametrize(
    ("condition", "age", "allowed"),
    [
        (None, 0, True),
        (ETAG, 0, True),
        ('"x"', 1000, False),
        (f"W/{ETAG}", 1000, False),
        (DATE, 1000, True),
        (DATE, 1, False),
        (LATER, 1000, False),
        ("nonsense", 1000, False),
    ],
)
def test_whether_a_range_may_be_sent(condition: str | None, age: int, *, allowed: bool) -> None:
    headers = {} if condition is None else {"if-range": condition}

    assert allows_range(headers, ETAG, MODIFIED, MODIFIED + age) is allowed
