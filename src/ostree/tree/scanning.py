"""The facts of a root file system, read from the disk."""

from __future__ import annotations

import os
import stat

from ostree.system.files import open_subdirectory, read_file
from ostree.tree.facts import Entry, Kind, TreeFacts

_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.LINK,
    stat.S_IFIFO: Kind.FIFO,
    stat.S_IFCHR: Kind.CHARACTER_DEVICE,
    stat.S_IFBLK: Kind.BLOCK_DEVICE,
    stat.S_IFSOCK: Kind.SOCKET,
}
#: What becomes state, and has to do without attributes that tmpfiles.d cannot give it.
_STATE = frozenset({"var", "home", "root", "srv", "mnt"})
_SNIPPETS = ("usr/lib/tmpfiles.d", "lib/tmpfiles.d", "etc/tmpfiles.d", "usr/etc/tmpfiles.d")
_IDENTITIES = ("etc/machine-id", "usr/etc/machine-id")
_MAX_TEXT = 1 << 20
_BUFFER = 1 << 16


def scan(root_fd: int) -> TreeFacts:
    """Read a tree; other file systems that are mounted in it are named and not entered.

    Raises:
        OSError: something cannot be read.
    """
    entries: dict[str, Entry] = {}
    mounts: list[str] = []
    device = os.fstat(root_fd).st_dev
    todo = [""]
    while todo:
        directory = todo.pop()
        fd = _open_below(root_fd, directory)
        try:
            for name in sorted(os.listdir(fd)):
                path = f"{directory}/{name}" if directory else name
                info = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if info.st_dev != device:
                    mounts.append(path)
                    continue
                entries[path] = _entry(fd, name, info, state=path.split("/")[0] in _STATE)
                if entries[path].kind is Kind.DIRECTORY:
                    todo.append(path)
        finally:
            os.close(fd)
    return TreeFacts(
        entries,
        mounts,
        _read_texts(root_fd, entries),
        lambda one, other: same_content(root_fd, one, other),
    )


def _entry(fd: int, name: str, info: os.stat_result, *, state: bool) -> Entry:
    kind = _KINDS[stat.S_IFMT(info.st_mode)]
    return Entry(
        kind,
        stat.S_IMODE(info.st_mode),
        info.st_uid,
        info.st_gid,
        os.readlink(name, dir_fd=fd) if kind is Kind.LINK else "",
        info.st_size if kind is Kind.FILE else 0,
        _attribute_names(fd, name) if state else (),
    )


def _attribute_names(fd: int, name: str) -> tuple[str, ...]:
    try:
        return tuple(os.listxattr(f"/proc/self/fd/{fd}/{name}", follow_symlinks=False))
    except OSError:
        return ()  # The file system has none.


def _open_below(root_fd: int, path: str) -> int:
    """A directory of the tree; no link on the way is followed."""
    fd = os.dup(root_fd)
    for name in path.split("/") if path else ():
        try:
            deeper = open_subdirectory(fd, name)
        finally:
            os.close(fd)
        fd = deeper
    return fd


def _read_texts(root_fd: int, entries: dict[str, Entry]) -> dict[str, bytes]:
    wanted = [
        path
        for path, entry in entries.items()
        if entry.kind is Kind.FILE
        and entry.size <= _MAX_TEXT
        and (
            path in _IDENTITIES or (path.endswith(".conf") and path.rpartition("/")[0] in _SNIPPETS)
        )
    ]
    return {path: read_below(root_fd, path) for path in wanted}


def read_below(root_fd: int, path: str) -> bytes:
    """The content of a file of the tree."""
    directory, _, name = path.rpartition("/")
    fd = _open_below(root_fd, directory)
    try:
        return read_file(name, fd, limit=_MAX_TEXT)
    finally:
        os.close(fd)


def same_content(root_fd: int, one: str, other: str) -> bool:
    """Whether two files of a tree have the same bytes."""
    first, second = _open_file(root_fd, one), -1
    try:
        second = _open_file(root_fd, other)
        while True:
            ours, theirs = os.read(first, _BUFFER), os.read(second, _BUFFER)
            if ours != theirs:
                return False
            if not ours:
                return True
    finally:
        os.close(first)
        if second >= 0:
            os.close(second)


def _open_file(root_fd: int, path: str) -> int:
    directory, _, name = path.rpartition("/")
    parent = _open_below(root_fd, directory)
    try:
        return os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=parent)
    finally:
        os.close(parent)
