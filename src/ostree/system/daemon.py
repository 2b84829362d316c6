"""Going on in the background, and ending with one's parent."""

from __future__ import annotations

import os
import signal

from ostree.errors import OSTreeError

_PR_SET_PDEATHSIG = 1


class Detached:
    """One side of a process that has split in two; to be used before there are any threads.

    Attributes:
        is_parent: Whether this is the side that the caller waits for.
    """

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self.is_parent = os.fork() != 0
        if self.is_parent:
            os.close(self._writer)
            self._reader = reader
        else:
            os.close(reader)
            os.setsid()

    def wait(self) -> None:
        """In the parent: return when the child says that it is ready.

        Raises:
            OSTreeError: with what the child says went wrong.
        """
        text = b""
        while data := os.read(self._reader, 65536):
            text += data
        os.close(self._reader)
        if text != b"\n":
            raise OSTreeError(text.decode("utf-8", "surrogateescape") or "The child has ended")

    def ready(self) -> None:
        """In the child: let the parent go, and with it the terminal."""
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.close(null)
        self._tell(b"\n")

    def fail(self, error: OSTreeError) -> None:
        """In the child: let the parent end with an error."""
        self._tell(str(error).encode("utf-8", "surrogateescape"))

    def _tell(self, data: bytes) -> None:
        os.write(self._writer, data)
        os.close(self._writer)


def end_with_parent() -> None:
    """Have this process terminated when the one that started it ends."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
