"""A machine's serial console: everything it says is kept, and waited for with a time-out."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

#: What stands for the end of the machine in what was read.
END = "\n@@END@@\n"


class ConsoleError(AssertionError):
    """The machine did not say what was waited for; the message ends with what it said last."""


class Console:
    """Reads and writes the two pipes of a serial port; a thread of its own does the reading.

    Args:
        output: What the machine says.
        input: What is typed.
        log: A file to which everything is appended, each line with seconds since the start.
    """

    def __init__(self, output: IO[bytes], input: IO[bytes], log: Path) -> None:
        self._output = output
        self._input = input
        self._text = ""
        self._place = 0
        self._commands = 0
        self._changed = threading.Condition()
        self._started = time.monotonic()
        self._reader = threading.Thread(target=self._read, args=(log,), daemon=True)
        self._reader.start()

    @property
    def seconds(self) -> float:
        """Since the machine was started."""
        return time.monotonic() - self._started

    @property
    def text(self) -> str:
        """Everything so far."""
        return self._text

    def _read(self, log: Path) -> None:
        line = b""
        with log.open("ab") as file:
            while data := os.read(self._output.fileno(), 65536):
                with self._changed:
                    self._text += data.decode("utf-8", "replace").replace("\r", "")
                    self._changed.notify_all()
                *lines, line = (line + data).split(b"\n")
                for each in lines:
                    file.write(b"%8.2f %s\n" % (self.seconds, each.rstrip()))
                file.flush()
            file.write(b"%8.2f %s (the end)\n" % (self.seconds, line.rstrip()))
        with self._changed:
            self._text += END
            self._changed.notify_all()

    def close(self) -> None:
        """Close both pipes, after the machine has ended."""
        self._reader.join(10)
        for pipe in (self._input, self._output):
            with suppress(OSError):
                pipe.close()

    def expect(self, pattern: str, timeout: float = 60) -> re.Match[str]:
        """Wait for a regular expression behind what was waited for last.

        Raises:
            ConsoleError: it does not come in time, or the machine ended.
        """
        expression = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = expression.search(self._text, self._place)
                if found:
                    self._place = found.end()
                    return found
                left = deadline - time.monotonic()
                if END in self._text[self._place :] or left <= 0:
                    reason = "the machine ended" if left > 0 else f"not in {timeout} seconds"
                    tail = self._text[-3000:]
                    raise ConsoleError(f"{reason}: {pattern!r}; its last words:\n{tail}")
                self._changed.wait(left)

    def ends_before(self, pattern: str, timeout: float = 60) -> bool:
        """Whether the machine ends before it says something; what was waited for stays as it is."""
        expression = re.compile(pattern)
        with self._changed:
            self._changed.wait_for(
                lambda: expression.search(self._text) or END in self._text, timeout
            )
            return END in self._text and expression.search(self._text) is None

    def wait_for_end(self, timeout: float = 60) -> None:
        """Wait until the machine ended by itself: with ``-no-reboot`` at each reset."""
        self.expect(re.escape(END.strip()), timeout)

    def send(self, text: str) -> None:
        """Type something."""
        self._input.write(text.encode())
        self._input.flush()

    def run(self, command: str, *, timeout: float = 60, status: int | None = 0) -> str:
        """Run a shell command; returns what it printed, without empty lines around it.

        Args:
            command: For the shell, which has neither echo nor prompt.
            timeout: Seconds.
            status: What it has to end with; None for anything.

        Raises:
            ConsoleError: it ends otherwise, or not in time.
        """
        self._commands += 1
        tag = f"{self._commands:04d}"
        # The quotes keep an echo of the command from being taken for the answer.
        self.send(f'{{ {command}\n}} </dev/null; echo "@@"{tag}"@@ $?"\n')
        start = self._place
        found = self.expect(rf"@@{tag}@@ (\d+)\n", timeout)
        out = self._text[start : found.start()].strip("\n")
        if status is not None and int(found[1]) != status:
            raise ConsoleError(f"{command!r} ended with {found[1]}:\n{out}")
        return out
