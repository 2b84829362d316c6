"""What a line of progress says, and when there is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.cli.progress_text import StepMeter, duration_text, fit, step_text
from ostree.events import StepProgress


def meter(*, delay: float = 0.0) -> StepMeter:
    return StepMeter({"fsck": "fsck objects"}, start=0.0, delay=delay, interval=1.0)


@pytest.mark.parametrize(
    ("done", "total", "size", "seconds", "expected"),
    [
        (13, 50, 0, 0.9, "x (13/50) 26%"),
        (13, 50, 0, 2.0, "x (13/50) 26%, 6/s, ETA 0:06"),
        (13, 50, 90_200_000, 2.0, "x (13/50) 26%, 45.1 MB/s, ETA 0:06"),
        (50, 50, 1000, 2.0, "x (50/50) 100%, 500 bytes/s"),
        (0, 50, 0, 5.0, "x (0/50) 0%, 0/s"),
        (7, None, 0, 0.0, "x (7 so far)"),
        (7, None, 4100, 0.5, "x (7 so far), 4.1 kB"),
        (7, None, 4100, 2.0, "x (7 so far), 4.1 kB, 2.0 kB/s"),
        (7, None, 0, 2.0, "x (7 so far), 4/s"),
    ],
)
def test_a_line_says_what_is_known(
    done: int, total: int | None, size: int, seconds: float, expected: str
) -> None:
    percent = 0 if total is None else done * 100 // total

    assert step_text("x", done, total, percent=percent, bytes=size, seconds=seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0:00"),
        (0.1, "0:01"),
        (59, "0:59"),
        (59.5, "1:00"),
        (754, "12:34"),
        (3723, "1:02:03"),
        (360000, "100:00:00"),
    ],
)
def test_durations_are_rounded_up(seconds: float, expected: str) -> None:
    assert duration_text(seconds) == expected


@pytest.mark.parametrize(
    ("columns", "expected"), [(80, "abcdef"), (7, "abcdef"), (4, "abc"), (1, ""), (0, "")]
)
def test_the_last_column_stays_empty(columns: int, expected: str) -> None:
    assert fit("abcdef", columns) == expected


def test_one_line_in_an_interval_and_the_end() -> None:
    lines = meter()

    said = [
        lines.line(StepProgress("fsck", done, 4), now)
        for done, now in ((1, 0.0), (2, 0.9), (3, 1.0), (4, 1.1))
    ]

    assert [text and text.split(",")[0] for text in said] == [
        "fsck objects (1/4) 25%",
        None,
        "fsck objects (3/4) 75%",
        "fsck objects (4/4) 100%",
    ]


def test_what_is_over_soon_says_nothing() -> None:
    lines = meter(delay=0.5)

    said = [lines.line(StepProgress("fsck", done, 2), done / 10) for done in (1, 2)]

    assert said == [None, None]


def test_a_new_operation_begins_anew() -> None:
    lines = meter()
    lines.line(StepProgress("scan", 50, 100), 1.0)

    text = lines.line(StepProgress("fsck", 1, 100), 4.0)

    assert text == "fsck objects (1/100) 1%"


def test_an_operation_without_title_is_called_by_its_name() -> None:
    assert meter().line(StepProgress("scan", 1, None), 0.0) == "scan (1 so far)"


def test_nothing_to_do_says_nothing() -> None:
    assert meter().line(StepProgress("fsck", 0, 0), 0.0) is None


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 200)), max_size=30))
def test_percentages_never_fall(steps: list[tuple[int, int]]) -> None:
    """Whatever the operation reports, a total that grows and a count beyond it included."""
    lines = meter()

    said = [
        lines.line(StepProgress("fsck", done, total), float(now))
        for now, (done, total) in enumerate(steps)
    ]

    percents = [int(text.split("%")[0].split()[-1]) for text in said if text]
    assert percents == sorted(percents)
    assert all(percent <= 100 for percent in percents)
