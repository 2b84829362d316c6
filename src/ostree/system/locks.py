"""Open file description locks on a whole file, as upstream takes them."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time

from ostree.errors import LockError

# struct flock: type, whence, start, length, pid.
_FLOCK = struct.Struct("hhqqi4x")
_BUSY = (errno.EACCES, errno.EAGAIN)


def try_lock(fd: int, *, exclusive: bool) -> bool:
    """Take or convert a lock without waiting; False if another holder is in the way.

    The lock belongs to the open file description: it ends when that is closed, and closing other
    descriptors of the file does not matter.
    """
    kind = fcntl.F_WRLCK if exclusive else fcntl.F_RDLCK
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, 0, 0, 0))
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno != errno.EINVAL:
            raise
        return _try_flock(fd, exclusive=exclusive)
    return True


def _try_flock(fd: int, *, exclusive: bool) -> bool:
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True


def unlock(fd: int) -> None:
    """Give the lock up, whichever kind it was."""
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, 0, 0, 0))
    except OSError:
        fcntl.flock(fd, fcntl.LOCK_UN)


def wait_lock(fd: int, *, exclusive: bool, seconds: int, what: str) -> None:
    """Take a lock, trying once a second, ``seconds`` times; for ever, without polling, if negative.

    Raises:
        LockError: ``WHAT failed: Resource temporarily unavailable``.
    """
    if seconds < 0:
        if not try_lock(fd, exclusive=exclusive):
            _wait_for_ever(fd, exclusive=exclusive)
        return
    tries = 0
    while not try_lock(fd, exclusive=exclusive):
        if tries >= seconds:
            raise LockError(f"{what} failed: {os.strerror(errno.EAGAIN)}")
        tries += 1
        time.sleep(1)


def _wait_for_ever(fd: int, *, exclusive: bool) -> None:
    kind = fcntl.F_WRLCK if exclusive else fcntl.F_RDLCK
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLKW, _FLOCK.pack(kind, os.SEEK_SET, 0, 0, 0))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        fcntl.flock(fd, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
