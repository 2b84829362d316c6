"""How events of long operations are shown."""

from __future__ import annotations

import time

from ostree.events import Message, PullProgress, StepProgress
from ostree.formats.size_text import format_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.cli.context import Context, Output
    from ostree.events import Event

_SAVE_CURSOR = "\0337"
_RESTORE_CURSOR = "\0338"
#: Seconds between two updates.
_INTERVAL = 1.0
_TERMINAL_INTERVAL = 0.1


class TerminalLine:
    """A line on a terminal that is rewritten in place."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._width = 0
        self._is_open = False

    def show(self, text: str) -> None:
        """Replace what the line says."""
        if not self._is_open:
            self._output.write(_SAVE_CURSOR)
            self._is_open = True
        self._output.write(_RESTORE_CURSOR + text.ljust(self._width))
        self._width = max(self._width, len(text))

    def close(self) -> None:
        """Leave the line as it is and go to the next one; nothing if it was never used."""
        if self._is_open:
            self._output.line()
        self._is_open = False
        self._width = 0


class StepListener:
    """Shows messages as they come, and how far an operation has got.

    On a terminal that is one line, otherwise the first and last step and one in a second.

    Args:
        ctx: Where to print.
        title: What the steps are, as in ``fsck objects``.
        quiet: Whether to leave out messages that are no warnings.
        clock: Tells the seconds.
    """

    def __init__(
        self,
        ctx: Context,
        title: str,
        *,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ctx = ctx
        self._title = title
        self._quiet = quiet
        self._clock = clock
        self._line = TerminalLine(ctx.stdout)
        self._last_time: float | None = None

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Message):
            if event.warning:
                self._ctx.stdout.flush()
                self._ctx.stderr.line(event.text)
            elif not self._quiet:
                self._ctx.stdout.line(event.text)
        elif isinstance(event, StepProgress) and event.total:
            self._step(event.done, event.total)

    def close(self) -> None:
        """End the line of a terminal."""
        self._line.close()

    def _step(self, done: int, total: int) -> None:
        if self._last_time is None and done > 1:
            # Work is reported in batches; whoever reads the lines expects the first one.
            self._show(1, total)
        interval = _TERMINAL_INTERVAL if self._ctx.stdout.is_terminal else _INTERVAL
        now = self._clock()
        if self._last_time is None or done == total or now - self._last_time >= interval:
            self._last_time = now
            self._show(done, total)

    def _show(self, done: int, total: int) -> None:
        percent = done * 100 // total
        if self._ctx.stdout.is_terminal:
            self._line.show(f"{self._title} ({done}/{total}) {percent}%")
        else:
            self._ctx.stdout.line(f"{self._title} ({done}/{total}) {percent}%")
            self._ctx.stdout.flush()


class PullListener:
    """Shows how a pull gets on: on a terminal in one line, elsewhere not at all.

    Percentages never fall, although more may turn out to be needed.

    Args:
        ctx: Where to print.
        clock: Tells the seconds.
    """

    def __init__(self, ctx: Context, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ctx = ctx
        self._clock = clock
        self._start = clock()
        self._line = TerminalLine(ctx.stdout)
        self._last_time: float | None = None
        self._percent = 0

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Message):
            if event.warning:
                self._ctx.stderr.line(event.text)
            else:
                self._ctx.stdout.line(event.text)
        elif isinstance(event, PullProgress) and self._ctx.stdout.is_terminal:
            now = self._clock()
            if self._last_time is None or now - self._last_time >= _TERMINAL_INTERVAL:
                self._last_time = now
                self._line.show(self._text(event, now - self._start))

    def finish(self, text: str) -> None:
        """Show how it ended."""
        if self._ctx.stdout.is_terminal:
            self._line.show(text)
            self._line.close()
        else:
            self._ctx.stdout.line(text)

    def close(self) -> None:
        """End the line of a terminal, if there is one."""
        self._line.close()

    def _text(self, event: PullProgress, seconds: float) -> str:
        rate = f"{format_size(int(event.bytes_transferred / seconds))}/s" if seconds >= 1 else "-"
        moved = f"{rate} {format_size(event.bytes_transferred)}"
        fetched = event.fetched_metadata + event.fetched_content
        requested = event.requested_metadata + event.requested_content
        if event.scanning or not requested:
            return f"Receiving metadata objects: {event.fetched_metadata}/(estimating) {moved}"
        self._percent = max(self._percent, fetched * 100 // requested)
        return f"Receiving objects: {self._percent}% ({fetched}/{requested}) {moved}"
