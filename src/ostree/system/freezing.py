"""A file system frozen and thawed, so that everything is in its place on the disk.

What fsync(2) and syncfs(2) bring to the disk may be in the journal only, where whoever reads the
disk without replaying the journal, as boot loaders do, does not see it.  Freezing a file system
empties the journal.
"""

from __future__ import annotations

import errno
import fcntl
import os

from ostree.system.closing import Closing
from ostree.system.files import sync_filesystem
from ostree.system.freeze_watchdog import FREEZING, REFUSED, THAWED, start_watchdog, thaw

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
# _IOWR('X', 119, int); read and write are the same bits everywhere.
_FREEZE = 0xC0045877
#: Also: it is frozen already.
_SYNC_INSTEAD = (*REFUSED, errno.EBUSY)


class Freezer(Closing):
    """Freezes and thaws one file system; a context manager.

    A process of its own watches, from the first time on, and thaws in our place if we die in
    between or take longer than that: a file system that stays frozen takes the machine with it.

    Args:
        fd: A descriptor on the file system; a duplicate of it is kept.
        patience: Seconds after which the watching process thaws.
    """

    def __init__(self, fd: int, *, patience: float = 30.0) -> None:
        self._fd = os.dup(fd)
        self._patience = patience
        self._watchdog: socket.socket | None = None

    def close(self) -> None:
        """Let the watching process end."""
        if self._watchdog is not None:
            self._watchdog.close()
            self._watchdog = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def checkpoint(self) -> None:
        """Bring everything on the file system to its place on the disk.

        Where freezing is not possible it is synced.

        Raises:
            OSError: the disk fails.
        """
        watchdog = self._alert()
        frozen = True  # Unless we know better: an interrupt may come at any time.
        try:
            fcntl.ioctl(self._fd, _FREEZE, 0)
        except OSError as error:
            frozen = False
            if error.errno not in _SYNC_INSTEAD:
                raise
        finally:
            if frozen:
                thaw(self._fd)
            watchdog.send(THAWED)
        if not frozen:
            sync_filesystem(self._fd)

    def _alert(self) -> socket.socket:
        """Tell the watching process, or another one if somebody has ended it."""
        if self._watchdog is not None:
            try:
                self._watchdog.send(FREEZING)
            except OSError:
                self._watchdog.close()
                self._watchdog = None
            else:
                return self._watchdog
        self._watchdog = start_watchdog(self._fd, self._patience)
        self._watchdog.send(FREEZING)
        return self._watchdog
