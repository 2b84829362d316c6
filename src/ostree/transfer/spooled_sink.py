"""A body that is needed as a whole: small ones wait in memory, large ones on the disk."""

from __future__ import annotations

from ostree.net.fetcher import Sink
from ostree.system.closing import Closing
from ostree.system.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | memoryview


class OpenSpools(Closing):
    """The spools of requests that have not ended, for whoever gives up all of them.

    Args:
        tmp_fd: A directory for what is too large for the memory.
        most_held: How large, in bytes.
    """

    def __init__(self, tmp_fd: int, *, most_held: int) -> None:
        self._tmp_fd = tmp_fd
        self._most_held = most_held
        self._open: set[Spool] = set()

    def begin(self) -> Spool:
        """A new one."""
        spool = Spool(self._tmp_fd, most_held=self._most_held)
        self._open.add(spool)
        return spool

    def end(self, spool: Spool) -> None:
        """One is not needed any more."""
        self._open.discard(spool)
        spool.close()

    def close(self) -> None:
        """Give back what all of them hold."""
        for spool in self._open:
            spool.close()
        self._open.clear()


class SpooledSink(Sink):
    """Takes such a body.

    Args:
        spools: Where it waits.
        what: What it is, in the message if it cannot be written.
    """

    __slots__ = ("_spool", "_spools", "_what")

    def __init__(self, spools: OpenSpools, what: str) -> None:
        self._spools = spools
        self._spool = spools.begin()
        self._what = what

    def write(self, chunk: bytes) -> None:
        """Keep the chunk.

        Raises:
            RepoError: if the disk is full.
        """
        try:
            self._spool.write(chunk)
        except OSError as error:
            from ostree.repo.object_errors import write_error

            raise write_error(f"Writing {self._what}", error) from error

    def restart(self) -> None:
        """Drop all chunks."""
        self._spool.clear()

    def take(self) -> Buffer:
        """All of it; the sink is done with."""
        data = self._spool.take()
        self._spools.end(self._spool)
        return data

    def drop(self) -> None:
        """It is not needed after all."""
        self._spools.end(self._spool)
