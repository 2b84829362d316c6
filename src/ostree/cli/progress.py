"""How events of long operations are shown.

What a command shows of its progress never mixes with its results.  Where upstream prints progress
(``fsck``, the pulls) it is on standard output, and has upstream's form wherever that is no
terminal.  What upstream does without a word (``commit``, ``checkout``, ``prune``) shows a line on
standard error, only where that is a terminal, and takes it away again: ``rev=$(ostree commit …)``
typed by a person shows progress, and the variable holds the checksum.
"""

from __future__ import annotations

import time

from ostree.cli.progress_text import StepMeter, fit
from ostree.events import CommitSigned, Message, PullProgress, StepProgress
from ostree.formats.size_text import format_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ostree.cli.context import Context, Output
    from ostree.events import Event, Listener

_SAVE_CURSOR = "\0337"
_RESTORE_CURSOR = "\0338"
#: Seconds between two updates.
_INTERVAL = 1.0
_TERMINAL_INTERVAL = 0.1
#: What takes less than this many seconds shows no progress where upstream shows none.
_DELAY = 0.5


class TerminalLine:
    """A line on a terminal that is rewritten in place, and never longer than the terminal is wide."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._width = 0
        self._is_open = False

    def show(self, text: str) -> None:
        """Replace what the line says."""
        columns = self._output.columns()
        self._write(fit(text, columns), columns)

    def finish(self, text: str) -> None:
        """Replace what the line says by a last word, which may be longer, and end it."""
        self._write(text, self._output.columns())
        self.close()

    def _write(self, text: str, columns: int) -> None:
        if not self._is_open:
            self._output.write(_SAVE_CURSOR)
            self._is_open = True
        # Blanks over what was longer before.
        padding = fit(" " * self._width, columns)[len(text) :]
        self._output.write(_RESTORE_CURSOR + text + padding)
        self._width = max(self._width, len(text))

    def erase(self) -> None:
        """Take the line away; nothing if it was never used."""
        if self._is_open:
            blanks = fit(" " * self._width, self._output.columns())
            self._output.write(f"{_RESTORE_CURSOR}{blanks}{_RESTORE_CURSOR}")
            self._output.flush()
        self._is_open = False
        self._width = 0

    def close(self) -> None:
        """Leave the line as it is and go to the next one; nothing if it was never used."""
        if self._is_open:
            self._output.line()
        self._is_open = False
        self._width = 0


class TransientProgress:
    """A line on standard error while an operation runs, if a person looks at it.

    A context manager; what it gives is the operation's listener, or None where nobody looks, so
    that the operation need not even count.

    Args:
        ctx: Where to print.
        titles: What the steps of an operation are called: ``{"commit": "Committing files"}``.
        clock: Tells the seconds.
    """

    def __init__(
        self,
        ctx: Context,
        titles: dict[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ctx = ctx
        self._clock = clock
        self._line = TerminalLine(ctx.stderr)
        self._meter = StepMeter(titles, start=clock(), delay=_DELAY, interval=_TERMINAL_INTERVAL)

    def __enter__(self) -> Listener | None:
        return self._show if self._ctx.stderr.is_terminal else None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._line.erase()

    def _show(self, event: Event) -> None:
        if isinstance(event, StepProgress):
            text = self._meter.line(event, self._clock())
            if text is not None:
                self._line.show(text)


class StepListener:
    """Shows messages as they come, and how far an operation has got, on standard output.

    On a terminal that is one line; otherwise the first and last step and one in a second, in
    upstream's form.

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
        self._meter: StepMeter | None = None
        self._last_time: float | None = None

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Message):
            self._message(event)
        elif isinstance(event, StepProgress) and event.total:
            if self._ctx.stdout.is_terminal:
                self._rewrite(event)
            else:
                self._step(event.done, event.total)

    def close(self) -> None:
        """End the line of a terminal."""
        self._line.close()

    def _message(self, message: Message) -> None:
        if message.warning:
            self._line.erase()
            self._ctx.stdout.flush()
            self._ctx.stderr.line(message.text)
        elif not self._quiet:
            self._line.erase()
            self._ctx.stdout.line(message.text)

    def _rewrite(self, step: StepProgress) -> None:
        now = self._clock()
        if self._meter is None:
            titles = {step.operation: self._title}
            self._meter = StepMeter(titles, start=now, interval=_TERMINAL_INTERVAL)
        text = self._meter.line(step, now)
        if text is not None:
            self._line.show(text)

    def _step(self, done: int, total: int) -> None:
        if self._last_time is None and done > 1:
            # Work is reported in batches; whoever reads the lines expects the first one.
            self._print(1, total)
        now = self._clock()
        if self._last_time is None or done == total or now - self._last_time >= _INTERVAL:
            self._last_time = now
            self._print(done, total)

    def _print(self, done: int, total: int) -> None:
        self._ctx.stdout.line(f"{self._title} ({done}/{total}) {done * 100 // total}%")
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
            self._line.erase()
            if event.warning:
                self._ctx.stderr.line(event.text)
            else:
                self._ctx.stdout.line(event.text)
        elif isinstance(event, CommitSigned) and self._ctx.stdout.is_terminal:
            from ostree.cli.signing import VERIFIED, found_text

            self._line.erase()
            self._ctx.stdout.write("\n" + found_text(VERIFIED, event.descriptions))
        elif isinstance(event, PullProgress) and self._ctx.stdout.is_terminal:
            now = self._clock()
            if self._last_time is None or now - self._last_time >= _TERMINAL_INTERVAL:
                self._last_time = now
                self._line.show(self._text(event, now - self._start))

    def finish(self, text: str) -> None:
        """Show how it ended."""
        if self._ctx.stdout.is_terminal:
            self._line.finish(text)
        else:
            self._ctx.stdout.line(text)

    def close(self) -> None:
        """End the line of a terminal, if there is one."""
        self._line.close()

    def _text(self, event: PullProgress, seconds: float) -> str:
        rate = f"{format_size(int(event.bytes_transferred / seconds))}/s" if seconds >= 1 else "-"
        if event.fetched_delta_parts < event.requested_delta_parts:
            parts = f"{event.fetched_delta_parts}/{event.requested_delta_parts}"
            size = f"{format_size(event.delta_bytes)}/{format_size(event.requested_delta_bytes)}"
            return f"Receiving delta parts: {parts} {size} {rate}"
        moved = f"{rate} {format_size(event.bytes_transferred)}"
        fetched = event.fetched_metadata + event.fetched_content
        requested = event.requested_metadata + event.requested_content
        if event.scanning or not requested:
            return f"Receiving metadata objects: {event.fetched_metadata}/(estimating) {moved}"
        self._percent = max(self._percent, fetched * 100 // requested)
        return f"Receiving objects: {self._percent}% ({fetched}/{requested}) {moved}"
