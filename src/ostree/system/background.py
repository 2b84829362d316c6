"""A thread that takes pieces of work in order, beside the thread that makes them."""

from __future__ import annotations

import threading
from queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Background:
    """Hands each piece to a function on a thread of its own, in order.

    Args:
        work: Takes one piece.
        backlog: How many pieces may wait before :meth:`put` does.
    """

    def __init__(self, work: Callable[[bytes], None], *, backlog: int) -> None:
        self._work = work
        self._queue: Queue[bytes | None] = Queue(backlog)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ostree-background", daemon=True)
        self._thread.start()

    def put(self, piece: bytes) -> None:
        """Queue a piece.

        Raises:
            BaseException: what an earlier piece ended with.
        """
        if self._error is not None:
            raise self._error
        self._queue.put(piece)

    def end(self) -> None:
        """Nothing more comes."""
        self._queue.put(None)

    def join(self) -> None:
        """Wait until all pieces are done, after :meth:`end`.

        Raises:
            BaseException: what a piece ended with.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error

    def cancel(self) -> None:
        """Let what waits go undone."""
        if self._thread.is_alive():
            self._error = self._error or InterruptedError()
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (piece := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._work(piece)
                except BaseException as error:  # noqa: BLE001 - carried to the other thread
                    self._error = error
