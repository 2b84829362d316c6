"""Files as block devices."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_GET_FREE = 0x4C82
_CONFIGURE = 0x4C0A
_READ_ONLY, _AUTOCLEAR = 1, 4
# struct loop_config: the file, the block size, a loop_info64 of which only the flags matter.
_CONFIG = struct.Struct("=II52xI176x64x")
_TRIES = 16


@contextmanager
def read_only_loop(file_fd: int) -> Iterator[str]:
    """A device with the content of a file, for the length of a ``with`` block.

    What is mounted from it meanwhile keeps it.

    Raises:
        OSError: there are no loop devices here, or none is free.
    """
    device_fd, path = _attach(file_fd)
    try:
        yield path
    finally:
        os.close(device_fd)


def _attach(file_fd: int) -> tuple[int, str]:
    control_fd = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(_TRIES):
            path = f"/dev/loop{fcntl.ioctl(control_fd, _GET_FREE)}"
            device_fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.ioctl(
                    device_fd, _CONFIGURE, _CONFIG.pack(file_fd, 0, _READ_ONLY | _AUTOCLEAR)
                )
            except OSError as error:
                os.close(device_fd)
                if error.errno != errno.EBUSY:
                    raise
                continue  # Somebody was faster.
            return device_fd, path
    finally:
        os.close(control_fd)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), "/dev/loop-control")
