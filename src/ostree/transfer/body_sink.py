"""A body that is kept in memory while it is small, and stored while it arrives when it is not."""

from __future__ import annotations

from ostree.net.fetcher import Sink
from ostree.transfer.content_receiver import SMALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.transfer.content_receiver import ReceivingStream


class BodySink(Sink):
    """Takes the body of one object.

    Args:
        begin: Begins to store a large object; None keeps everything in memory.

    Attributes:
        stream: The large object being stored, if it is one.
    """

    __slots__ = ("_begin", "_chunks", "_size", "stream")

    def __init__(self, begin: Callable[[], ReceivingStream] | None) -> None:
        self._begin = begin
        self._chunks: list[bytes] = []
        self._size = 0
        self.stream: ReceivingStream | None = None

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        if self.stream is not None:
            self.stream.feed([chunk])
            return
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._begin is not None and self._size > SMALL:
            self.stream = self._begin()
            self.stream.feed(self._chunks)
            self._chunks = []

    def restart(self) -> None:
        """Drop everything written so far."""
        self.close()
        self._chunks = []
        self._size = 0

    def value(self) -> bytes:
        """The body, if it is in memory."""
        return b"".join(self._chunks)

    def close(self) -> None:
        """Give up what is not finished."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
