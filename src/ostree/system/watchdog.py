"""The kernel's watchdog, which resets a machine that nobody keeps it from resetting."""

from __future__ import annotations

import errno
import os

_DEVICE = "/dev/watchdog"
#: Whoever writes this before closing the device means it.
_STOP = b"V"


def stop_watchdog(device: str = _DEVICE) -> bool:
    """Stop it; False if there is none, or somebody else goes on with it.

    Args:
        device: Which.

    Raises:
        OSError: it cannot be opened or written to.
    """
    try:
        fd = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.EBUSY, errno.ENODEV}:
            return False
        raise
    try:
        os.write(fd, _STOP)
    finally:
        os.close(fd)
    return True
