"""The process that thaws a file system in the place of the one that froze it.

It is forked, and must end without running on in the program that it is a copy of.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import socket

# _IOWR('X', 120, int); read and write are the same bits everywhere.
_THAW = 0xC0045878
#: The file system cannot be frozen or thawed, by us or at all.
REFUSED = (errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS, errno.EPERM)
#: What it is told.
FREEZING, THAWED = b"f", b"t"


def thaw(fd: int) -> None:
    """Thaw; it does not matter if somebody else has done so."""
    try:
        fcntl.ioctl(fd, _THAW, 0)
    except OSError as error:
        if error.errno not in {errno.EINVAL, *REFUSED}:
            raise


def start_watchdog(fd: int, patience: float) -> socket.socket:
    """Start a process that nobody waits for; the socket to tell it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        # Whatever happens, nothing of the program that was forked may run on here.
        try:
            ours.close()
            os.setsid()
            if os.fork() == 0:
                _be_alone(fd, theirs.fileno())
                _watch(patience)
        finally:
            os._exit(0)
    theirs.close()
    os.waitpid(child, 0)
    return ours


def _be_alone(fd: int, link: int) -> None:
    """Keep nothing of the other process but these two descriptors, which become 3 and 4.

    Locks and pipes that stayed open here would outlive it.
    """
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    high = [fcntl.fcntl(each, fcntl.F_DUPFD, 16) for each in (null, null, null, fd, link)]
    for number, each in enumerate(high):
        os.dup2(each, number)
    os.closerange(len(high), os.sysconf("SC_OPEN_MAX"))


def _watch(patience: float) -> None:
    """Thaw file system 3 when link 4 says that it is being frozen and then no more."""
    with socket.socket(fileno=4) as link:
        while link.recv(1) == FREEZING:
            ready, _, _ = select.select([link], [], [], patience)
            if not ready or link.recv(1) != THAWED:
                thaw(3)
                return


def try_watchdog(fd: int, *, patience: float = 1.0) -> bool:
    """Have the watching process wait in vain, on a file system that is not frozen.

    Returns:
        Whether it has done its part.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        child = os.fork()
        if child == 0:
            try:
                os.dup2(fd, 3)
                os.dup2(theirs.fileno(), 4)
                _watch(patience)
                os._exit(0)
            finally:
                os._exit(1)
        ours.send(FREEZING)
        _, status = os.waitpid(child, 0)
    return status == 0
