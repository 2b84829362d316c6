"""Progress in words: what a line says, given how much was done in which time.

Nothing here looks at a clock or a terminal.
"""

from __future__ import annotations

from ostree.formats.size_text import format_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.events import StepProgress

#: Before this many seconds a rate would say little.
_LEAST_SECONDS = 1.0


class StepMeter:
    """What to say about the steps of an operation, and when.

    Within one operation neither the percentage nor the count ever falls.

    Args:
        titles: What the steps of an operation are called: ``{"fsck": "fsck objects"}``.
        start: The time at which all begins, in seconds of the clock that :meth:`line` is told.
        delay: How many seconds nothing is said: what is over by then needs no progress.
        interval: Seconds between two lines, at least.
    """

    def __init__(
        self,
        titles: Mapping[str, str],
        *,
        start: float,
        delay: float = 0.0,
        interval: float = 0.1,
    ) -> None:
        self._titles = titles
        self._next = start + delay
        self._interval = interval
        self._has_spoken = False
        self._operation = ""
        self._begun = start
        self._done = 0
        self._percent = 0

    def line(self, step: StepProgress, now: float) -> str | None:
        """What to show now; None if it is too soon, or there is nothing to do."""
        if step.operation != self._operation:
            self._operation = step.operation
            self._begun = now
            self._done = self._percent = 0
        is_end = self._has_spoken and step.done == step.total
        if step.total == 0 or (now < self._next and not is_end):
            return None
        self._has_spoken = True
        self._next = now + self._interval
        self._done = max(self._done, step.done)
        if step.total is not None:
            self._percent = max(self._percent, min(100, self._done * 100 // step.total))
        return step_text(
            self._titles.get(step.operation, step.operation),
            self._done,
            step.total,
            percent=self._percent,
            bytes=step.bytes,
            seconds=now - self._begun,
        )


def step_text(
    title: str, done: int, total: int | None, *, percent: int, bytes: int, seconds: float
) -> str:
    """``fsck objects (13/50) 26%, 45.1 MB/s, ETA 0:12``, as far as it is known.

    Args:
        title: What the steps are.
        done: How many of them are done.
        total: Of how many; without it there is neither percentage nor ETA.
        percent: How much of it all that is.
        bytes: How much was handled; 0 if it is not counted, then the rate is that of the steps.
        seconds: In which time.
    """
    if total is None:
        position = f"{title} ({done} so far)"
    else:
        position = f"{title} ({done}/{total}) {percent}%"
    parts = [position]
    if bytes and total is None:
        parts.append(_size(bytes))
    if seconds >= _LEAST_SECONDS:
        parts.append(f"{_size(int(bytes / seconds))}/s" if bytes else f"{done / seconds:.0f}/s")
        if total is not None and 0 < done < total:
            parts.append(f"ETA {duration_text(seconds * (total - done) / done)}")
    return ", ".join(parts)


def duration_text(seconds: float) -> str:
    """``0:07``, ``12:34`` or ``1:02:03``: whole seconds, rounded up."""
    whole = -int(-seconds // 1)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def fit(text: str, columns: int) -> str:
    """As much of a text as a line has room for; its last column stays empty.

    A terminal that has written to the last column may go on to the next line.
    """
    return text[: max(columns - 1, 0)]


def _size(size: int) -> str:
    # The character set of a terminal may lack the no-break space.
    return format_size(size).replace("\u00a0", " ")
