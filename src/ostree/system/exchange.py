"""Two names that change places in one step."""

from __future__ import annotations

import errno
import os

_RENAME_EXCHANGE = 2
#: The kernel or the file system cannot do it, or there is nothing to exchange with yet.
_RENAME_INSTEAD = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOENT)


def exchange_or_rename(source: str, target: str, dir_fd: int) -> bool:
    """Give ``target`` the file of ``source``, and ``source`` that of ``target``.

    An exchange changes directory entries and nothing else, while a rename over an existing file
    also frees that file's inode.  Where an exchange is not possible it is a plain rename.

    Args:
        source: The name of the new file, relative to ``dir_fd``.
        target: The name that it is to have.
        dir_fd: A directory.

    Returns:
        Whether ``source`` exists still, now as the former ``target``.

    Raises:
        OSError: as rename(2).
    """
    try:
        _exchange(source, target, dir_fd)
    except OSError as error:
        if error.errno not in _RENAME_INSTEAD:
            raise
        os.rename(source, target, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        return False
    return True


def _exchange(source: str, target: str, dir_fd: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = (os.fsencode(source), os.fsencode(target))
    if libc.renameat2(dir_fd, names[0], dir_fd, names[1], _RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), source, None, target)
