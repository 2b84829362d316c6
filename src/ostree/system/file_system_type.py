"""Which kind of file system something is on."""

from __future__ import annotations

import os
import sys

VFAT = 0x4D44
EXT4 = 0xEF53  #: ext2 and ext3, too
#: Larger than ``struct statfs`` anywhere.
_SIZE = 256


def file_system_type(fd: int) -> int:
    """The magic number of the file system that an open file is on: ``f_type`` of statfs(2).

    Raises:
        OSError: the file system does not tell.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    result = ctypes.create_string_buffer(_SIZE)
    if libc.fstatfs(fd, result) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    # The first member everywhere, a long but for one architecture.
    size = 4 if os.uname().machine == "s390x" else ctypes.sizeof(ctypes.c_long)
    return int.from_bytes(result.raw[:size], sys.byteorder) & 0xFFFFFFFF
