"""Staging directories and other temporary files of a repository (repository format §4.7)."""

from __future__ import annotations

import os
import time

from ostree.system import files, locks

#: Of a system that does not tell.
UNKNOWN_BOOT = "00000000-0000-0000-0000-000000000000"

_PREFIX = "staging-"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def boot_id() -> str:
    """What tells this boot of the machine from others."""
    try:
        return files.read_file("/proc/sys/kernel/random/boot_id", limit=128).decode().strip()
    except OSError:
        return UNKNOWN_BOOT


class StagingDirectory:
    """A locked ``tmp/staging-BOOTID-XXXXXX``.

    Attributes:
        fd: Its descriptor.
        resumed: Whether it was left by an earlier transaction, with its objects.
    """

    def __init__(self, tmp_fd: int, name: str, lock_fd: int, *, resumed: bool) -> None:
        self._tmp_fd = tmp_fd
        self.name = name
        self._lock_fd = lock_fd
        self.resumed = resumed
        self.fd = files.open_subdirectory(tmp_fd, name)

    def release(self, *, remove: bool) -> None:
        """Unlock it; with ``remove`` it goes with all that is in it."""
        if self.fd < 0:
            return
        os.close(self.fd)
        self.fd = -1
        if remove:
            files.remove_tree(self.name, self._tmp_fd)
        files.remove_tree(f"{self.name}-lock", self._tmp_fd)
        os.close(self._lock_fd)


def acquire(tmp_fd: int, boot: str) -> StagingDirectory:
    """A staging directory of this boot that nobody uses, or a new one.

    After a power cut what is in one of another boot may be half of what was written.  A boot that
    is not known may be another one.
    """
    prefix = f"{_PREFIX}{boot}-"
    for name in files.list_directory(".", tmp_fd) if boot != UNKNOWN_BOOT else ():
        if name.startswith(prefix) and not name.endswith("-lock"):
            lock_fd = _try_lock(tmp_fd, name)
            if lock_fd is None:
                continue
            if files.exists(name, tmp_fd):
                # One that nothing was written to tells of nothing that may be incomplete.
                resumed = bool(files.list_directory(name, tmp_fd))
                return StagingDirectory(tmp_fd, name, lock_fd, resumed=resumed)
            _drop_lock(tmp_fd, name, lock_fd)
    while True:
        name = prefix + "".join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(6))
        lock_fd = _try_lock(tmp_fd, name)
        if lock_fd is not None:
            if files.make_directory(name, tmp_fd, 0o775):
                return StagingDirectory(tmp_fd, name, lock_fd, resumed=False)
            _drop_lock(tmp_fd, name, lock_fd)


def _try_lock(tmp_fd: int, name: str) -> int | None:
    """Lock the file beside a staging directory; None if somebody else holds it."""
    path = f"{name}-lock"
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=tmp_fd)
    if locks.try_lock(fd, exclusive=True):
        # Its holder may have removed the file between our open and our lock.
        try:
            same = os.path.samestat(os.fstat(fd), os.stat(path, dir_fd=tmp_fd))
        except FileNotFoundError:
            same = False
        if same:
            return fd
    os.close(fd)
    return None


def _drop_lock(tmp_fd: int, name: str, lock_fd: int) -> None:
    files.remove_tree(f"{name}-lock", tmp_fd)
    os.close(lock_fd)


def clean(tmp_fd: int, boot: str, expiry_seconds: int) -> None:
    """Remove staging directories of other boots, and other entries that are too old."""
    oldest = time.time() - expiry_seconds
    for name in files.list_directory(".", tmp_fd):
        if name == "cache" or name.endswith("-lock"):
            continue
        if name.startswith(_PREFIX):
            if boot == UNKNOWN_BOOT or not name.startswith(f"{_PREFIX}{boot}-"):
                _remove_stale(tmp_fd, name)
            continue
        try:
            modified = os.stat(name, dir_fd=tmp_fd, follow_symlinks=False).st_mtime
        except FileNotFoundError:
            continue
        if modified < oldest:
            files.remove_tree(name, tmp_fd)


def _remove_stale(tmp_fd: int, name: str) -> None:
    """Remove a staging directory of another boot unless, against all odds, it is in use."""
    lock_fd = _try_lock(tmp_fd, name)
    if lock_fd is not None:
        files.remove_tree(name, tmp_fd)
        _drop_lock(tmp_fd, name, lock_fd)
