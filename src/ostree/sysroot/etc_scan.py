"""The facts about ``/etc`` on the disk that a merge is planned from (deployments §8)."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from ostree.sysroot.etc_conflicts import EtcSides
from ostree.sysroot.etc_diff import EtcNode, diff_etc
from ostree.sysroot.step import step
from ostree.system.files import FILE_FLAGS, open_beneath, open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ostree.sysroot.etc_diff import EtcChanges, SameContent

_CHUNK = 1 << 20


@contextmanager
def opened(path: str, dir_fd: int) -> Iterator[int]:
    """A descriptor of a directory, closed on leaving the context."""
    fd = open_directory(path, dir_fd=dir_fd)
    try:
        yield fd
    finally:
        os.close(fd)


def scan_etc(dir_fd: int) -> EtcNode:
    """What :func:`diff_etc` wants to know about an open directory, however deep it is."""
    top = _describe(os.fstat(dir_fd), dir_fd, ".")
    todo = [("", top)]
    while todo:
        path, node = todo.pop()
        fd = open_beneath(dir_fd, path) if path else dir_fd
        try:
            for name in os.listdir(fd):
                try:
                    child = _describe(os.stat(name, dir_fd=fd, follow_symlinks=False), fd, name)
                except FileNotFoundError:
                    # A running system makes and removes temporary files there.
                    continue
                node.children[name] = child
                if child.is_directory:
                    todo.append((f"{path}/{name}" if path else name, child))
        finally:
            if path:
                os.close(fd)
    return top


def _describe(info: os.stat_result, dir_fd: int, name: str) -> EtcNode:
    is_link = stat.S_ISLNK(info.st_mode)
    return EtcNode(
        uid=info.st_uid,
        gid=info.st_gid,
        # Links have no permissions of their own; what is reported depends on the file system.
        mode=stat.S_IFLNK if is_link else info.st_mode,
        size=info.st_size if stat.S_ISREG(info.st_mode) else 0,
        target=os.readlink(name, dir_fd=dir_fd) if is_link else "",
    )


def find_etc_changes(root_fd: int) -> EtcChanges:
    """What was changed in the ``/etc`` of the deployment whose directory is open.

    Raises:
        SysrootError: it cannot be read.
    """
    with (
        step("While computing configuration diff"),
        opened("usr/etc", root_fd) as default_fd,
        opened("etc", root_fd) as edited_fd,
    ):
        return diff_etc(
            scan_etc(default_fd), scan_etc(edited_fd), same_content(default_fd, edited_fd)
        )


def scan_sides(default_fd: int, edited_fd: int, offered_fd: int) -> EtcSides:
    """The facts about three open directories; they have to stay open as long as it is used."""
    return EtcSides(
        scan_etc(default_fd),
        scan_etc(edited_fd),
        scan_etc(offered_fd),
        same_local=same_content(default_fd, edited_fd),
        same_default=same_content(default_fd, offered_fd),
        same_edited=same_content(edited_fd, offered_fd),
    )


def same_content(first_dir: int, second_dir: int) -> SameContent:
    """Compares a file in two directories, a piece at a time; one that is gone is not the same."""

    def compare(path: str) -> bool:
        try:
            with (
                open(open_file(first_dir, path), "rb") as first,
                open(open_file(second_dir, path), "rb") as second,
            ):
                return is_equal(first, second)
        except FileNotFoundError:
            # A running system removes files at any time.
            return False

    return compare


def is_equal(first: BinaryIO, second: BinaryIO) -> bool:
    """Whether two buffered streams hold the same from here to their ends."""
    while True:
        chunk = first.read(_CHUNK)
        if chunk != second.read(_CHUNK):
            return False
        if not chunk:
            return True


def open_file(dir_fd: int, path: str) -> int:
    """A descriptor of a file below a directory, for reading, however long the path is."""
    directory, name = os.path.split(path)
    if not directory:
        return os.open(name, FILE_FLAGS, dir_fd=dir_fd)
    fd = open_beneath(dir_fd, directory)
    try:
        return os.open(name, FILE_FLAGS, dir_fd=fd)
    finally:
        os.close(fd)
