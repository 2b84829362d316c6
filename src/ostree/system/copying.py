"""Copies of file content inside the kernel."""

from __future__ import annotations

import errno
import os

_FICLONE = 0x40049409
_NO_CLONE = (
    errno.EOPNOTSUPP,
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOTTY,
    errno.EPERM,
    errno.EBADF,
    errno.ENOSYS,
)
_NO_RANGE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM)
_STEP = 1 << 30


def clone(source: int, destination: int) -> bool:
    """Share the extents of a whole file (reflink); False if the file system cannot."""
    import fcntl

    try:
        fcntl.ioctl(destination, _FICLONE, source)
    except OSError as error:
        if error.errno in _NO_CLONE:
            return False
        raise
    return True


def copy_content(source: int, destination: int) -> int:
    """Copy from offset 0 of one file to offset 0 of another; bytes copied.

    Reflink if possible, else copy_file_range(2), else through memory, a megabyte at a time.
    """
    if clone(source, destination):
        return os.fstat(destination).st_size
    done = 0
    try:
        while copied := os.copy_file_range(source, destination, _STEP, done, done):
            done += copied
    except OSError as error:
        if done or error.errno not in _NO_RANGE:
            raise
        return _copy_through_memory(source, destination)
    return done


def _copy_through_memory(source: int, destination: int) -> int:
    done = 0
    while chunk := os.pread(source, 1 << 20, done):
        view = memoryview(chunk)
        while view:
            written = os.pwrite(destination, view, done)
            done += written
            view = view[written:]
    return done
