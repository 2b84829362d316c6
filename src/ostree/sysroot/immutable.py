"""The immutable attribute of a deployment's own directory (deployments §1.2)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from ostree.system.files import open_subdirectory

# _IOR('f', 1, long) and _IOW('f', 2, long); what is read and written is an int all the same.
_LONG = struct.calcsize("l")
_GET_FLAGS = 0x80006601 | _LONG << 16
_SET_FLAGS = 0x40006602 | _LONG << 16
_IMMUTABLE = 0x10
_NOT_POSSIBLE = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM, errno.ENOSYS, errno.EINVAL)


def set_immutable(path: str, dir_fd: int, *, on: bool) -> None:
    """Forbid, or allow again, changes of the names in a directory.

    Where the file system or our rights do not allow it nothing happens.

    Raises:
        OSError: the directory cannot be opened, or the device failed.
    """
    fd = open_subdirectory(dir_fd, path)
    try:
        buffer = bytearray(_LONG)
        fcntl.ioctl(fd, _GET_FLAGS, buffer)
        (flags,) = struct.unpack_from("i", buffer)
        wanted = flags | _IMMUTABLE if on else flags & ~_IMMUTABLE
        if wanted != flags:
            struct.pack_into("i", buffer, 0, wanted)
            fcntl.ioctl(fd, _SET_FLAGS, bytes(buffer))
    except OSError as error:
        if error.errno not in _NOT_POSSIBLE:
            raise
    finally:
        os.close(fd)
