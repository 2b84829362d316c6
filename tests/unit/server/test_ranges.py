"""Byte ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.server.ranges import MAX_RANGES, parse_range


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-99", [(0, 100)]),
        ("bytes=10-", [(10, 100)]),
        ("bytes=90-500", [(90, 100)]),
        ("bytes=-1", [(99, 100)]),
        ("bytes=-500", [(0, 100)]),
        ("Bytes = 0-4", [(0, 5)]),
        ("bytes=0-4,10-14", [(0, 5), (10, 15)]),
        ("bytes=20-24 , , 10-14,", [(20, 25), (10, 15)]),
        ("bytes=0-4,200-300", [(0, 5)]),
    ],
)
def test_parts(header: str, parts: list[tuple[int, int]]) -> None:
    assert parse_range(header, 100) == parts


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=200-,300-"])
def test_parts_beyond_the_end_are_not_satisfiable(header: str) -> None:
    assert parse_range(header, 100) == []


def test_no_part_of_an_empty_file_is_satisfiable() -> None:
    assert parse_range("bytes=0-", 0) == []
    assert parse_range("bytes=-1", 0) == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=1",
        "bytes=1-2-3",
        "bytes=5-4",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=１-2",
        "bytes=0-4,x",
        "bytes=" + "9" * 5000 + "-",
        "lines=0-4",
    ],
)
def test_malformed_headers_are_ignored(header: str) -> None:
    assert parse_range(header, 100) is None


def test_requests_for_too_many_parts_are_ignored() -> None:
    header = "bytes=" + ",".join(f"{n}-{n}" for n in range(MAX_RANGES + 1))

    assert parse_range(header, 1000) is None


def test_requests_for_more_than_the_file_has_are_ignored() -> None:
    assert parse_range("bytes=0-,0-", 100) is None


@given(st.text(alphabet="0123456789-, =bytes", max_size=40), st.integers(0, 200))
def test_parts_lie_within_the_file(text: str, size: int) -> None:
    for start, end in parse_range("bytes=" + text, size) or []:
        assert 0 <= start < end <= size
