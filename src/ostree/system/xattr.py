"""Extended attributes of files and links."""

from __future__ import annotations

import errno
import os

from ostree.types import canonical_xattrs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.types import Xattrs

_UNSUPPORTED = (errno.ENOTSUP, errno.EOPNOTSUPP)


def read_fd(fd: int) -> Xattrs:
    """All attributes of an open file, in canonical form (sorted, empty ones dropped)."""
    try:
        names = os.listxattr(fd)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return ()
        raise
    return _values(fd, names, follow_symlinks=True) if names else ()


def read_at(dir_fd: int | None, name: str) -> Xattrs:
    """All attributes of a directory entry, links not followed, in canonical form.

    Without ``dir_fd`` the name is relative to the working directory.
    """
    path = name if dir_fd is None else f"/proc/self/fd/{dir_fd}/{name}"
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return ()
        raise
    return _values(path, names, follow_symlinks=False) if names else ()


def _values(file: int | str, names: list[str], *, follow_symlinks: bool) -> Xattrs:
    """Names with their values; what has gone since it was listed is left out."""
    pairs = []
    for name in names:
        try:
            value = os.getxattr(file, name, follow_symlinks=follow_symlinks)
        except OSError as error:
            if error.errno == errno.ENODATA:
                continue
            raise
        pairs.append((os.fsencode(name), value))
    return canonical_xattrs(pairs)


def write_fd(fd: int, xattrs: Iterable[tuple[bytes, bytes]]) -> None:
    """Set attributes of an open file."""
    for name, value in xattrs:
        os.setxattr(fd, name, value)


def write_at(dir_fd: int, name: str, xattrs: Iterable[tuple[bytes, bytes]]) -> None:
    """Set attributes of a directory entry, links not followed."""
    path = f"/proc/self/fd/{dir_fd}/{name}"
    for attribute, value in xattrs:
        os.setxattr(path, attribute, value, follow_symlinks=False)
