"""How progress is shown."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from ostree.cli.context import Context, Output
from ostree.cli.progress import PullListener, StepListener, TerminalLine, TransientProgress
from ostree.cli.pulling import result_text
from ostree.events import Message, PullProgress, StepProgress
from ostree.transfer.options import PullResult

if TYPE_CHECKING:
    from collections.abc import Callable


class Screen:
    """A context whose output is kept, and a clock that stands still unless moved.

    Args:
        terminal: Whether standard output passes for a terminal.
        error_terminal: Whether standard error does.
    """

    def __init__(self, *, terminal: bool = False, error_terminal: bool = False) -> None:
        self._out, self._err = io.BytesIO(), io.BytesIO()
        self.ctx = Context(
            Output(self._out, "utf-8", is_terminal=terminal),
            Output(self._err, "utf-8", is_terminal=error_terminal),
            {},
        )
        self.now = 0.0

    @property
    def clock(self) -> Callable[[], float]:
        return lambda: self.now

    @property
    def out(self) -> str:
        return self._out.getvalue().decode()

    @property
    def err(self) -> str:
        return self._err.getvalue().decode()


def progress(fetched: int, requested: int, *, scanning: bool = False) -> PullProgress:
    return PullProgress(
        fetched_metadata=fetched,
        fetched_content=0,
        requested_metadata=requested,
        requested_content=0,
        bytes_transferred=fetched * 1000,
        scanning=scanning,
    )


def test_the_first_and_last_step_and_one_in_a_second() -> None:
    screen = Screen(terminal=False)
    listener = StepListener(screen.ctx, "fsck objects", clock=screen.clock)

    for done, now in ((1, 0.0), (2, 0.5), (3, 1.1), (4, 1.2), (13, 1.3)):
        screen.now = now
        listener(StepProgress("fsck", done, 13))
    listener.close()

    assert (
        screen.out == "fsck objects (1/13) 7%\nfsck objects (3/13) 23%\nfsck objects (13/13) 100%\n"
    )


def test_batches_begin_with_one() -> None:
    screen = Screen(terminal=False)
    listener = StepListener(screen.ctx, "fsck objects", clock=screen.clock)

    listener(StepProgress("fsck", 48, 50))
    listener(StepProgress("fsck", 50, 50))

    assert [line.split()[2] for line in screen.out.splitlines()] == ["(1/50)", "(48/50)", "(50/50)"]


def test_nothing_to_do_shows_nothing() -> None:
    screen = Screen(terminal=True)
    listener = StepListener(screen.ctx, "fsck objects")

    listener(StepProgress("fsck", 0, 0))
    listener.close()

    assert screen.out == ""


def test_a_terminal_line_is_rewritten() -> None:
    screen = Screen(terminal=True)
    listener = StepListener(screen.ctx, "x", clock=screen.clock)

    listener(StepProgress("fsck", 1, 100))
    screen.now = 1.0
    listener(StepProgress("fsck", 100, 100))
    listener.close()

    assert screen.out == "\0337\0338x (1/100) 1%\0338x (100/100) 100%, 100/s\n"


def test_a_shorter_line_leaves_nothing_of_the_longer_one() -> None:
    screen = Screen(terminal=True)
    line = TerminalLine(screen.ctx.stdout)

    line.show("longer")
    line.show("short")
    line.finish("end")

    assert screen.out == "\0337\0338longer\0338short \0338end   \n"


def test_a_line_is_no_longer_than_the_terminal_is_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the last word: that is a result, which goes on in the next line."""
    screen = Screen(terminal=True)
    monkeypatch.setattr(screen.ctx.stdout, "columns", lambda: 10)
    line = TerminalLine(screen.ctx.stdout)

    line.show("0123456789")
    line.finish("the result")

    assert screen.out == "\0337\0338012345678\0338the result\n"


def test_progress_of_silent_commands_disappears() -> None:
    """It is on standard error, and gone before the result is printed."""
    screen = Screen(error_terminal=True)

    with TransientProgress(screen.ctx, {"commit": "x"}, clock=screen.clock) as on_event:
        assert on_event is not None
        on_event(StepProgress("commit", 1, None))
        screen.now = 0.6
        on_event(StepProgress("commit", 9, None, 4100))

    assert screen.out == ""
    assert screen.err == "\0337\0338x (9 so far), 4.1 kB\0338" + " " * 20 + "\0338"


def test_progress_of_silent_commands_waits() -> None:
    screen = Screen(error_terminal=True)

    with TransientProgress(screen.ctx, {}, clock=screen.clock) as on_event:
        assert on_event is not None
        on_event(StepProgress("commit", 1, 1))

    assert screen.err == ""


def test_without_a_terminal_nobody_listens() -> None:
    """Then the operation is spared the counting."""
    screen = Screen(terminal=True)

    with TransientProgress(screen.ctx, {}) as on_event:
        assert on_event is None


def test_messages_take_the_line_away() -> None:
    screen = Screen(terminal=True)
    listener = StepListener(screen.ctx, "x", clock=screen.clock)

    listener(StepProgress("fsck", 1, 2))
    listener(Message("phase"))
    listener.close()

    assert screen.out == "\0337\0338x (1/2) 50%\0338" + " " * 11 + "\0338phase\n"


def test_messages_go_where_they_belong() -> None:
    screen = Screen(terminal=False)
    loud, quiet = StepListener(screen.ctx, "x"), StepListener(screen.ctx, "x", quiet=True)

    for listener in (loud, quiet):
        listener(Message("phase"))
        listener(Message("bad", warning=True))

    assert (screen.out, screen.err) == ("phase\n", "bad\nbad\n")


def test_a_pull_is_silent_without_a_terminal() -> None:
    screen = Screen(terminal=False)
    listener = PullListener(screen.ctx)

    listener(progress(1, 2))
    listener.finish("the result")

    assert screen.out == "the result\n"


def test_percentages_never_fall() -> None:
    """More may turn out to be needed; the number waits until it is true again."""
    screen = Screen(terminal=True)
    listener = PullListener(screen.ctx, clock=screen.clock)

    for fetched, requested in ((5, 10), (6, 100), (90, 100)):
        screen.now += 2
        listener(progress(fetched, requested))
    listener.finish("end")

    shown = [part.split("%")[0].split()[-1] for part in screen.out.split("\0338") if "%" in part]
    assert shown == ["50", "50", "90"]


def test_what_is_not_known_yet_is_said() -> None:
    screen = Screen(terminal=True)
    listener = PullListener(screen.ctx, clock=screen.clock)

    listener(progress(5, 10, scanning=True))
    listener.close()

    assert screen.out.endswith("Receiving metadata objects: 5/(estimating) - 5.0\u00a0kB\n")


@pytest.mark.parametrize(
    ("local", "parts", "size", "expected"),
    [
        (True, 0, 0, "6 metadata, 4 content objects imported; 30.0\u00a0kB content written"),
        (
            False,
            0,
            30000,
            (
                "6 metadata, 4 content objects fetched; 29 KiB transferred in 2 seconds; "
                "30.0\u00a0kB content written"
            ),
        ),
        (
            False,
            0,
            1023,
            (
                "6 metadata, 4 content objects fetched; 1023 B transferred in 2 seconds; "
                "30.0\u00a0kB content written"
            ),
        ),
        (False, 1, 0, "1 delta parts, 10 loose fetched; 30.0\u00a0kB content written"),
    ],
)
def test_the_last_line(local: bool, parts: int, size: int, expected: str) -> None:
    result = PullResult(local=local)
    result.metadata, result.content = 6, 4
    result.delta_parts = parts
    result.bytes_transferred = size
    result.seconds = 2
    result.content_bytes_written = 30000

    assert result_text(result) == expected


def test_parts_of_deltas_are_shown_while_there_are_any_to_come() -> None:
    screen = Screen(terminal=True)
    listener = PullListener(screen.ctx, clock=screen.clock)
    event = PullProgress(
        fetched_metadata=3,
        fetched_content=0,
        requested_metadata=3,
        requested_content=0,
        bytes_transferred=5000,
        scanning=True,
        fetched_delta_parts=1,
        requested_delta_parts=3,
        delta_bytes=5000,
        requested_delta_bytes=9000,
    )

    listener(event)

    assert "Receiving delta parts: 1/3 5.0\u00a0kB/9.0\u00a0kB -" in screen.out
