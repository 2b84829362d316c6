"""Progress of a pull as lines of JSON."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from ostree.cli.context import Context, Output
from ostree.cli.progress import PullListener
from ostree.cli.progress_json import JsonLines
from ostree.events import Message, PullProgress
from ostree.transfer.options import PullResult
from ostree.types import Checksum

if TYPE_CHECKING:
    from ostree.cli.json_output import Json


class Screen:
    """Both streams, kept."""

    def __init__(self, *, terminal: bool = False) -> None:
        self._out, self._err = io.BytesIO(), io.BytesIO()
        self.ctx = Context(
            Output(self._out, "utf-8", is_terminal=terminal),
            Output(self._err, "utf-8", is_terminal=terminal),
            {},
        )
        self.lines = JsonLines(self.ctx, PullListener(self.ctx))

    @property
    def out(self) -> str:
        return self._out.getvalue().decode()

    @property
    def documents(self) -> list[dict[str, Json]]:
        return [json.loads(line) for line in self._err.getvalue().decode().splitlines()]


def progress(fetched: int, requested: int, *, scanning: bool = False) -> PullProgress:
    return PullProgress(
        fetched_metadata=fetched,
        fetched_content=0,
        requested_metadata=requested,
        requested_content=0,
        bytes_transferred=fetched * 1000,
        scanning=scanning,
    )


def test_percentages_never_fall_and_are_null_until_known() -> None:
    screen = Screen()

    for fetched, requested, scanning in (
        (0, 0, True),
        (1, 2, True),
        (5, 10, False),
        (6, 100, False),
        (100, 100, False),
    ):
        screen.lines(progress(fetched, requested, scanning=scanning))

    assert [document["percent"] for document in screen.documents] == [None, None, 50, 50, 100]


def test_a_terminal_shows_no_line_besides() -> None:
    screen = Screen(terminal=True)

    screen.lines(progress(1, 2))

    assert screen.out == ""


def test_messages_are_lines_and_stay_on_standard_output() -> None:
    """Those that are no warnings: standard output is what it is without the option."""
    screen = Screen()

    screen.lines(Message("verified"))
    screen.lines(Message("careful", warning=True))

    assert screen.out == "verified\n"
    assert screen.documents == [
        {"event": "message", "text": "verified", "warning": False},
        {"event": "message", "text": "careful", "warning": True},
    ]


def test_the_end_says_what_was_done() -> None:
    screen = Screen()
    result = PullResult(local=False)
    result.metadata, result.content, result.seconds = 3, 4, 5
    result.commits = {"z": Checksum("1" * 64), "a": Checksum("2" * 64)}

    screen.lines.finish(result)

    (end,) = screen.documents
    assert (end["event"], end["metadata"], end["content"], end["seconds"]) == ("end", 3, 4, 5)
    assert end["commits"] == [
        {"ref": "a", "checksum": "2" * 64},
        {"ref": "z", "checksum": "1" * 64},
    ]
