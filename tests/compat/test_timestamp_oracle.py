"""Dates: what ``ostree commit --timestamp`` understands, and how commits show them."""

from __future__ import annotations

import os
import random
import subprocess
import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from ostree.errors import FormatError
from ostree.formats import commit
from ostree.formats.date_text import format_local, format_utc, is_representable
from ostree.formats.summary import SummaryRef, build, encode
from ostree.formats.timestamp import parse_date
from ostree.types import Checksum

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.oracle

ABSOLUTE = [
    *("@0", "@-1", "@1.9", "@-1.9", "@ +5", "@1,5", "@.5", "@5 utc", "@1e3", "1700000000", "12345"),
    *("20240131", "240131", "68-01-01", "69-1-1", "0001-01-01", "10000-01-01", "2024-02-30"),
    *("1/2/2024", "2024/1/2", "13/1/2024", "1 Jan 2024", "Jan 1, 2024", "Jan 1,2024", "Jan 2024"),
    *("17-JUN-1992", "JUN-17-92", "17june92", "Sept 9 2024", "Sep. 9 2024", "January 1st, 2024"),
    *("2024-01-01T12:00:00Z", "2024-01-01T12", "2024-01-01T12+05", "2024-01-01T", "20240101T12:00"),
    *("2024-01-01 12:00:00.5", "2024-01-01 12:00:60", "2024-01-01 24:00", "2024-01-01 12 p.m."),
    *("2024-01-01 12:00 +0530", "2024-01-01 12:00:00-05", "2024-01-01 12:00 +25", "2024-01-01 -"),
    *("2024-01-01 12:00 CEST", "2024-01-01 12:00 UTC+3", "2024-01-01 12:00 EST DST", "noon"),
    *("2024-01-01 12:00 A", "2024-01-01 12:00 J", "2024-01-01 12:00 T", "2024-01-01 u.t.c."),
    *("Mon, 01 Jan 2024 12:00:00 +0000", "Mon Jan  1 12:00:00 UTC 2024", "1 Jan 12:00", "foo"),
    *("2024-01-31 + 1 month", "2024-01-01 12:00 +1 day", "2024-01-01 -2 days ago", "UTC UTC"),
    *("2024-01-01 (a (b)) 1.5 sec", "2024-01-01 twelfth day", "2024-01-01 monday"),
]
RELATIVE = [
    *("", "now", "12", "yesterday", "tomorrow 12:00", "2 days ago", "-1 week", "third month"),
    *("monday", "next wed", "last sat", "2 fri", "1.5 seconds ago", "last year"),
]
WORDS = [
    *("1", "12", "31", "1999", "2024", "68", "20240102", "1200", "+1", "-2", "+0530", "+05:30"),
    *("10:30", "10:30:15.5", "1.5", "Jan", "feb.", "sept", "mon", "thurs", "pm", "a.m.", "UTC"),
    *("Z", "K", "EST", "EDT", "CET", "DST", "days", "week", "month", "hour", "min", "secs", "ago"),
    *("next", "third", ",", "/", ":", "(x)", "2024-02-29", "24-3-5", "2024-05-06T10:20", "T"),
    *("1/2/2024", "5/6", "17-JUN-1992", "hence", "2024-07-01 12:00"),
]


class Committer:
    """Asks the reference command for timestamps."""

    def __init__(self, oracle: Oracle, path: Path) -> None:
        self.path = path
        self.oracle = oracle
        oracle("init", f"--repo={path}", "--mode=archive")
        (path / "tmp" / "empty").mkdir()

    def __call__(self, text: str) -> int | str:
        tree = f"--tree=dir={self.path}/tmp/empty"
        options = (f"--repo={self.path}", "--orphan", f"--timestamp={text}", tree)
        result = self.oracle("commit", *options, check=False)
        if result.returncode:
            return result.stderr
        return self.load(result.stdout.strip()).timestamp

    def load(self, checksum: str) -> commit.Commit:
        path = self.path / f"objects/{checksum[:2]}/{checksum[2:]}.commit"
        return commit.decode(path.read_bytes())


@pytest.fixture(scope="module")
def ask(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Committer:
    return Committer(oracle, tmp_path_factory.mktemp("timestamp") / "repo")


def read(text: str, now: float) -> int | str:
    try:
        return parse_date(text, now=now, tz=ZoneInfo("UTC")) % 2**64
    except FormatError as error:
        return f"error: {error}\n"


def near(ours: int | str, theirs: int | str, late: int | str) -> bool:
    """Whether their answer lies between ours before and after asking."""
    if isinstance(ours, int) and isinstance(theirs, int) and isinstance(late, int):
        return ours <= theirs <= late
    return ours == theirs


@pytest.mark.parametrize("text", ABSOLUTE)
def test_absolute_dates_are_read_alike(ask: Committer, text: str) -> None:
    theirs = ask(text)

    assert read(text, time.time()) == theirs


@pytest.mark.parametrize("text", RELATIVE)
def test_relative_dates_are_read_alike(ask: Committer, text: str) -> None:
    ours = read(text, time.time())

    theirs = ask(text)

    assert near(ours, theirs, read(text, time.time()))


def test_random_items_are_read_alike(ask: Committer) -> None:
    chosen = random.Random(2024)
    texts = [
        chosen.choice([" ", " ", ""]).join(chosen.choices(WORDS, k=chosen.randint(1, 4)))
        for _ in range(80)
    ]

    differing = []
    for text in texts:
        ours = read(text, time.time())
        theirs = ask(text)
        if not near(ours, theirs, read(text, time.time())):
            differing.append((text, ours, theirs))

    assert differing == []


@pytest.mark.parametrize(
    "text",
    [
        *("2024-01-01 12:00", "2024-07-01 12:00", "2024-07-01 12:00 UTC", "2024-07-01 12:00 CEST"),
        *("2024-07-01 12:00 CET", "2024-03-31 02:30", "2024-10-27 02:30 CEST", "1900-01-01"),
        *("2024-03-30 12:00 1 day", "2024-03-30 12:00 24 hours", "2024-03-30 02:30 1 day"),
    ],
)
def test_local_times_are_read_alike(oracle: Oracle, ask: Committer, text: str) -> None:
    """The oracle fixture only knows UTC, so this asks in its own words."""
    tree = f"--tree=dir={ask.path}/tmp/empty"
    options = (f"--repo={ask.path}", "--orphan", f"--timestamp={text}", tree)
    result = subprocess.run(
        ["/usr/bin/ostree", "commit", *options],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "TZ": "Europe/Berlin", "LC_ALL": "C.UTF-8"},
    )
    theirs = ask.load(result.stdout.strip()).timestamp if result.stdout else result.stderr

    try:
        ours: int | str = parse_date(text, now=time.time(), tz=ZoneInfo("Europe/Berlin")) % 2**64
    except FormatError as error:
        ours = f"error: {error}\n"

    assert ours == theirs


@pytest.mark.parametrize(
    "timestamp",
    [0, -1, 1700000000, -62135596800, -62135596801, 253402300799, 253402300800, 2**63 - 1],
)
def test_dates_are_shown_alike(oracle: Oracle, ask: Committer, timestamp: int) -> None:
    tree = f"--tree=dir={ask.path}/tmp/empty"
    options = (f"--repo={ask.path}", "--orphan", f"--timestamp=@{timestamp}", tree)
    checksum = oracle("commit", *options).stdout.strip()
    shown = oracle("show", f"--repo={ask.path}", checksum, check=False)

    if not is_representable(timestamp):
        assert shown.stderr == (
            f"ostree: Failed to read commit: Invalid timestamp: {timestamp % 2**64}\n"
        )
        return

    assert f"Date:  {format_utc(timestamp)}\n" in shown.stdout


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Amsterdam"])
@pytest.mark.parametrize("timestamp", [1700000000, -61135596800, 253402300799, 253402300800])
def test_summaries_show_local_dates_alike(
    oracle: Oracle, ask: Committer, zone: str, timestamp: int
) -> None:
    """The oracle fixture only knows UTC, so this asks in its own words."""
    ref = SummaryRef("a", Checksum("0" * 64), 1)
    (ask.path / "summary").write_bytes(encode(build([ref], mode="bare", last_modified=timestamp)))
    result = subprocess.run(
        ["/usr/bin/ostree", "summary", f"--repo={ask.path}", "-v"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "TZ": zone, "LC_ALL": "C.UTF-8"},
    )

    ours = format_local(timestamp, ZoneInfo(zone))

    assert f"Last-Modified (ostree.summary.last-modified): {ours}\n" in result.stdout
