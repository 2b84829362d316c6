"""Symbolic links resolved as they are seen from inside a tree."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_LINKS = 40


def resolve_inside(path: str, root_fd: int) -> str:
    """A path without links, relative to ``root_fd``, that leads where ``path`` leads.

    The result never leaves the directory: absolute links and ``..`` mean it, as after chroot(2).
    Components that do not exist are kept as they are.  Holds only as long as nobody else changes the tree.

    Args:
        path: Relative to the directory.
        root_fd: The directory that is the root for the purpose of links.

    Raises:
        OSError: ELOOP, too many links; or as readlink(2).
    """
    return resolve_links(path, lambda here: _read_link(here, root_fd))


def resolve_links(path: str, read_link: Callable[[str], str | None]) -> str:
    """The same in a tree that is only known by its links.

    Args:
        path: Relative to the top.
        read_link: The target of the link at a path whose directories are no links; None if there
            is no link.

    Raises:
        OSError: ELOOP, too many links.
    """
    done: list[str] = []
    todo = _components(path)
    links = 0
    while todo:
        name = todo.pop()
        if name == "..":
            done[-1:] = []
            continue
        here = "/".join([*done, name])
        target = read_link(here)
        if target is None:
            done.append(name)
            continue
        links += 1
        if links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if target.startswith("/"):
            done.clear()
        todo.extend(_components(target))
    return "/".join(done) or "."


def _components(path: str) -> list[str]:
    """The components in reverse, so that the next one is popped from the end."""
    return [name for name in reversed(path.split("/")) if name not in {"", "."}]


def _read_link(path: str, root_fd: int) -> str | None:
    try:
        return os.readlink(path, dir_fd=root_fd)
    except OSError as error:
        if error.errno in {errno.EINVAL, errno.ENOENT, errno.ENOTDIR}:
            return None
        raise
