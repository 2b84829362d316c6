"""The local changes of one deployment's ``/etc`` carried over to another (deployments §8.2)."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from ostree.events import Message
from ostree.sysroot.etc_conflicts import describe_conflicts, find_conflicts
from ostree.sysroot.etc_plan import Act, plan_merge
from ostree.sysroot.etc_scan import open_file, opened, scan_sides
from ostree.sysroot.journal import tell_etc_changes
from ostree.sysroot.step import step
from ostree.system import xattr
from ostree.system.copying import copy_content
from ostree.system.files import exists, open_beneath, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostree.events import Listener
    from ostree.sysroot.etc_plan import EtcStep


def merge_etc(old_root_fd: int, new_root_fd: int, *, copy_xattrs: bool, on_event: Listener) -> None:
    """Repeat in one deployment's fresh ``/etc`` what was changed in another's.

    Args:
        old_root_fd: The directory of the deployment with the changes; only read.
        new_root_fd: The directory of the deployment to be changed.
        copy_xattrs: Whether extended attributes go along.
        on_event: Is told a summary, what was changed on both sides, and what cannot be carried over.

    Raises:
        SysrootError: a changed file is in the way of a new directory, in which case nothing is
            merged; or a file cannot be read or written, and the merge is half done.
    """
    with (
        step("During /etc merge"),
        opened("etc", old_root_fd) as edited_fd,
        opened("etc", new_root_fd) as merged_fd,
    ):
        with step("While computing configuration diff"), opened("usr/etc", old_root_fd) as old_fd:
            sides = scan_sides(old_fd, edited_fd, merged_fd)
            changes = sides.changes()
            conflicts = find_conflicts(changes, sides)
        tell_etc_changes(on_event, changes)
        if conflicts:
            on_event(Message(describe_conflicts(conflicts), warning=True))
        steps = plan_merge(changes, sides.edited, sides.offered)
        _Merger(edited_fd, merged_fd, copy_xattrs=copy_xattrs, on_event=on_event).run(steps)


class _Merger:
    """Takes the steps of a plan; ``edited`` and ``merged`` are the two ``etc`` directories."""

    def __init__(self, edited: int, merged: int, *, copy_xattrs: bool, on_event: Listener) -> None:
        self._edited = edited
        self._merged = merged
        self._copy_xattrs = copy_xattrs
        self._on_event = on_event

    def run(self, steps: Iterable[EtcStep]) -> None:
        for one in steps:
            with step(one.source):
                try:
                    self._take(one)
                except FileNotFoundError:
                    # Removed since the plan was made, as files of a running system may be.
                    if self._is_there(one.source):
                        raise

    def _is_there(self, path: str) -> bool:
        try:
            with _parent(path, self._edited) as (directory, name):
                return exists(name, directory)
        except FileNotFoundError:
            return False

    def _take(self, one: EtcStep) -> None:
        if one.act is Act.IGNORE:
            self._ignore(one.source)
            return
        with _parent(one.target, self._merged) as (target_dir, target):
            if one.act is Act.REMOVE:
                remove_tree(target, target_dir)
            elif one.act is Act.MAKE_DIRECTORY:
                os.mkdir(target, 0o700, dir_fd=target_dir)
            elif one.act is Act.COPY_ATTRIBUTES:
                self._copy_directory_attributes(one.source, target, target_dir)
            elif one.act is Act.COPY_LINK:
                self._copy_link(one.source, target, target_dir)
            else:
                self._copy_file(one.source, target, target_dir)

    def _ignore(self, path: str) -> None:
        self._on_event(
            Message(
                f"Ignoring non-regular/non-symlink file found during /etc merge: {path}",
                warning=True,
            )
        )

    def _copy_directory_attributes(self, path: str, target: str, target_dir: int) -> None:
        source_fd = open_beneath(self._edited, path)
        try:
            target_fd = open_beneath(target_dir, target)
            try:
                self._copy_attributes(source_fd, target_fd, os.fstat(source_fd))
            finally:
                os.close(target_fd)
        finally:
            os.close(source_fd)

    def _copy_attributes(self, source: int, target: int, info: os.stat_result) -> None:
        # The owner first: its change clears capabilities and the set-user-ID bit.
        _change_owner(target, info)
        if self._copy_xattrs:
            _replace_xattrs(target, xattr.read_fd(source))
        os.fchmod(target, stat.S_IMODE(info.st_mode))

    def _copy_link(self, path: str, target: str, target_dir: int) -> None:
        with _parent(path, self._edited) as (source_dir, source):
            info = os.stat(source, dir_fd=source_dir, follow_symlinks=False)
            os.symlink(os.readlink(source, dir_fd=source_dir), target, dir_fd=target_dir)
            if self._copy_xattrs:
                xattr.write_at(target_dir, target, xattr.read_at(source_dir, source))
        here = os.stat(target, dir_fd=target_dir, follow_symlinks=False)
        if (here.st_uid, here.st_gid) != (info.st_uid, info.st_gid):
            os.chown(target, info.st_uid, info.st_gid, dir_fd=target_dir, follow_symlinks=False)

    def _copy_file(self, path: str, target: str, target_dir: int) -> None:
        source = open_file(self._edited, path)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            copy = os.open(target, flags, 0o600, dir_fd=target_dir)
            try:
                info = os.fstat(source)
                copy_content(source, copy)
                self._copy_attributes(source, copy, info)
                os.utime(copy, ns=(info.st_atime_ns, info.st_mtime_ns))
            finally:
                os.close(copy)
        finally:
            os.close(source)


@contextmanager
def _parent(path: str, dir_fd: int) -> Iterator[tuple[int, str]]:
    """The directory that a path is in and its name there, however long the path is."""
    directory, name = os.path.split(path)
    if not directory:
        yield dir_fd, name
        return
    fd = open_beneath(dir_fd, directory)
    try:
        yield fd, name
    finally:
        os.close(fd)


def _change_owner(fd: int, info: os.stat_result) -> None:
    here = os.fstat(fd)
    if (here.st_uid, here.st_gid) != (info.st_uid, info.st_gid):
        os.fchown(fd, info.st_uid, info.st_gid)


def _replace_xattrs(fd: int, wanted: tuple[tuple[bytes, bytes], ...]) -> None:
    """Set what differs, so that an ordinary user is not refused what changes nothing."""
    present = dict(xattr.read_fd(fd))
    xattr.write_fd(fd, [(name, value) for name, value in wanted if present.get(name) != value])
