"""The local changes of one deployment's ``/etc`` carried over to another (deployments §8.2)."""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import SysrootError
from ostree.events import Message
from ostree.sysroot.etc_diff import EtcNode, diff_etc
from ostree.sysroot.resolve import resolve_inside
from ostree.sysroot.step import step
from ostree.system import xattr
from ostree.system.copying import copy_content
from ostree.system.files import (
    DIRECTORY_FLAGS,
    FILE_FLAGS,
    exists,
    open_directory,
    open_subdirectory,
    remove_tree,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.events import Listener
    from ostree.sysroot.etc_diff import EtcChanges

_MAX_DEPTH = 200


def scan_etc(dir_fd: int, depth: int = 0) -> EtcNode:
    """What :func:`diff_etc` wants to know about an open directory."""
    if depth > _MAX_DEPTH:
        raise SysrootError("Directories are nested too deeply")
    children = {}
    with os.scandir(dir_fd) as entries:
        for entry in entries:
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                fd = open_subdirectory(dir_fd, entry.name)
                try:
                    children[entry.name] = scan_etc(fd, depth + 1)
                finally:
                    os.close(fd)
            else:
                children[entry.name] = _describe(info, dir_fd, entry.name)
    info = os.fstat(dir_fd)
    return EtcNode(uid=info.st_uid, gid=info.st_gid, mode=info.st_mode, children=children)


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
        _opened("usr/etc", root_fd) as default_fd,
        _opened("etc", root_fd) as edited_fd,
    ):
        return diff_etc(
            scan_etc(default_fd),
            scan_etc(edited_fd),
            lambda path: _same_content(path, default_fd, edited_fd),
        )


def _same_content(path: str, first_dir: int, second_dir: int) -> bool:
    with (
        open(os.open(path, FILE_FLAGS, dir_fd=first_dir), "rb") as first,
        open(os.open(path, FILE_FLAGS, dir_fd=second_dir), "rb") as second,
    ):
        while True:
            chunk = first.read(1 << 20)
            if chunk != second.read(1 << 20):
                return False
            if not chunk:
                return True


class _opened:  # noqa: N801  # reads like contextlib.closing
    """A directory that is closed on leaving the context."""

    __slots__ = ("fd",)

    def __init__(self, path: str, dir_fd: int) -> None:
        self.fd = open_directory(path, dir_fd=dir_fd)

    def __enter__(self) -> int:
        return self.fd

    def __exit__(self, *_error: object) -> None:
        os.close(self.fd)


def merge_etc(old_root_fd: int, new_root_fd: int, *, copy_xattrs: bool, on_event: Listener) -> None:
    """Repeat in one deployment's fresh ``/etc`` what was changed in another's.

    Args:
        old_root_fd: The directory of the deployment with the changes; only read.
        new_root_fd: The directory of the deployment to be changed.
        copy_xattrs: Whether extended attributes go along.
        on_event: Is told a summary, and what cannot be carried over.

    Raises:
        SysrootError: a changed file is in the way of a new directory; the merge is half done then.
    """
    with step("During /etc merge"):
        changes = find_etc_changes(old_root_fd)
        on_event(Message(changes.summary()))
        with _opened("etc", old_root_fd) as edited, _opened("etc", new_root_fd) as merged:
            _Merger(edited, merged, copy_xattrs=copy_xattrs, on_event=on_event).apply(changes)


class _Merger:
    """Applies changes; ``edited`` and ``merged`` are the two ``etc`` directories."""

    def __init__(self, edited: int, merged: int, *, copy_xattrs: bool, on_event: Listener) -> None:
        self._edited = edited
        self._merged = merged
        self._copy_xattrs = copy_xattrs
        self._on_event = on_event

    def apply(self, changes: EtcChanges) -> None:
        for path in changes.removed:
            self._remove(path)
        copied = None
        for path in [*changes.modified, *changes.added]:
            if copied is not None and path.startswith(copied):
                continue
            copied = f"{path}/" if self._carry_over(path) else None

    def _resolve(self, directory: str) -> str:
        """Where a directory of the edited tree is in the merged one, links followed."""
        try:
            return resolve_inside(directory, self._merged, clamp=False)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            raise SysrootError(
                f"Directory '{directory}' of a modified config file newly defaults to "
                "a link out of /etc, cannot merge"
            ) from error

    def _inside(self, path: str) -> str:
        """Where ``path`` is in the merged tree; if itself a link, it is not followed."""
        directory, name = os.path.split(path)
        return os.path.join(self._resolve(directory), name)

    def _remove(self, path: str) -> None:
        try:
            remove_tree(self._inside(path), self._merged)
        except NotADirectoryError:
            # A file stands where its directory was: there is nothing to remove.
            return

    def _carry_over(self, path: str) -> bool:
        """Copy one changed path; whether that was a directory with all it contains."""
        parent = os.path.dirname(path)
        if parent:
            self._make_parent(parent)
        merged = self._inside(path)
        info = os.stat(path, dir_fd=self._edited, follow_symlinks=False)
        is_directory = stat.S_ISDIR(info.st_mode)
        if exists(merged, self._merged):
            found = os.stat(merged, dir_fd=self._merged, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                if is_directory:
                    return False
                raise SysrootError(
                    f"Modified config file newly defaults to directory '{path}', cannot merge"
                )
            os.unlink(merged, dir_fd=self._merged)
        if is_directory:
            self._copy_directory(path, merged)
        else:
            self._copy_file(path, merged, info)
        return is_directory

    def _make_parent(self, path: str) -> None:
        """Make a directory and those above it; it and all new ones get the edited attributes."""
        merged = self._resolve(path)
        if not exists(merged, self._merged):
            above = os.path.dirname(path)
            if above:
                self._make_parent(above)
            os.mkdir(merged, 0o700, dir_fd=self._merged)
        self._copy_directory_attributes(path, merged)

    def _copy_directory(self, path: str, merged: str) -> None:
        os.mkdir(merged, 0o700, dir_fd=self._merged)
        self._copy_directory_attributes(path, merged)
        for name in _names(path, self._edited):
            child = f"{path}/{name}"
            info = os.stat(child, dir_fd=self._edited, follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                self._copy_directory(child, f"{merged}/{name}")
            else:
                self._copy_file(child, f"{merged}/{name}", info)

    def _copy_directory_attributes(self, path: str, merged: str) -> None:
        flags = DIRECTORY_FLAGS | os.O_NOFOLLOW
        source = os.open(path, flags, dir_fd=self._edited)
        try:
            target = os.open(merged, flags, dir_fd=self._merged)
            try:
                info = os.fstat(source)
                self._copy_fd_attributes(source, target, info)
            finally:
                os.close(target)
        finally:
            os.close(source)

    def _copy_fd_attributes(self, source: int, target: int, info: os.stat_result) -> None:
        # The owner first: its change clears capabilities and the set-user-ID bit.
        _change_owner(target, info)
        if self._copy_xattrs:
            _replace_xattrs(target, xattr.read_fd(source))
        os.fchmod(target, stat.S_IMODE(info.st_mode))

    def _copy_file(self, path: str, merged: str, info: os.stat_result) -> None:
        if stat.S_ISLNK(info.st_mode):
            self._copy_link(path, merged, info)
        elif stat.S_ISREG(info.st_mode):
            self._copy_regular(path, merged, info)
        else:
            self._on_event(
                Message(
                    f"Ignoring non-regular/non-symlink file found during /etc merge: {path}",
                    warning=True,
                )
            )

    def _copy_link(self, path: str, merged: str, info: os.stat_result) -> None:
        os.symlink(os.readlink(path, dir_fd=self._edited), merged, dir_fd=self._merged)
        if self._copy_xattrs:
            xattr.write_at(self._merged, merged, xattr.read_at(self._edited, path))
        here = os.stat(merged, dir_fd=self._merged, follow_symlinks=False)
        if (here.st_uid, here.st_gid) != (info.st_uid, info.st_gid):
            os.chown(merged, info.st_uid, info.st_gid, dir_fd=self._merged, follow_symlinks=False)

    def _copy_regular(self, path: str, merged: str, info: os.stat_result) -> None:
        source = os.open(path, FILE_FLAGS, dir_fd=self._edited)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            target = os.open(merged, flags, 0o600, dir_fd=self._merged)
            try:
                copy_content(source, target)
                self._copy_fd_attributes(source, target, info)
                os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
            finally:
                os.close(target)
        finally:
            os.close(source)


def _names(path: str, dir_fd: int) -> Iterator[str]:
    with _opened(path, dir_fd) as fd:
        names = os.listdir(fd)
    yield from sorted(names, key=os.fsencode)


def _change_owner(fd: int, info: os.stat_result) -> None:
    here = os.fstat(fd)
    if (here.st_uid, here.st_gid) != (info.st_uid, info.st_gid):
        os.fchown(fd, info.st_uid, info.st_gid)


def _replace_xattrs(fd: int, wanted: tuple[tuple[bytes, bytes], ...]) -> None:
    """Set what differs, so that an ordinary user is not refused what changes nothing."""
    present = dict(xattr.read_fd(fd))
    xattr.write_fd(fd, [(name, value) for name, value in wanted if present.get(name) != value])
