"""Parts of files as block devices: what ``mount -o loop`` does, without a process for it."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GET_FREE = 0x4C82
_CONFIGURE = 0x4C0A
_AUTOCLEAR = 4
#: struct loop_config: the file; of its loop_info64 offset, size and flags.
_CONFIG = struct.Struct("=II24xQQ12xI176x64x")


@contextmanager
def attached(image: Path, offset: int, size: int) -> Iterator[str]:
    """A device; what is mounted from it meanwhile keeps it.

    Args:
        image: The file.
        offset: Where the part begins, in bytes.
        size: Of the part, in bytes.
    """
    file_fd = os.open(image, os.O_RDWR)
    control_fd = os.open("/dev/loop-control", os.O_RDWR)
    device_fd = -1
    try:
        while device_fd < 0:
            path = f"/dev/loop{fcntl.ioctl(control_fd, _GET_FREE)}"
            device_fd = os.open(path, os.O_RDWR)
            try:
                config = _CONFIG.pack(file_fd, 0, offset, size, _AUTOCLEAR)
                fcntl.ioctl(device_fd, _CONFIGURE, config)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                os.close(device_fd)  # Somebody was faster.
                device_fd = -1
        yield path
    finally:
        for fd in (file_fd, control_fd, device_fd):
            if fd >= 0:
                os.close(fd)
