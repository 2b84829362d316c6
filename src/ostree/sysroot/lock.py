"""The lock that keeps two programs from changing a sysroot at once (deployments §15)."""

from __future__ import annotations

import os
import time

from ostree.events import Message, ignore
from ostree.system.locks import try_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ostree.events import Listener

_PATH = "ostree/lock"
_POLL_SECONDS = 0.1
_REMIND_SECONDS = 3.0


class SysrootLock:
    """Holds ``ostree/lock`` from :meth:`acquire` to :meth:`release`, or as a context.

    The file is removed on release; one that a crashed process left behind does no harm.
    """

    def __init__(self, root_fd: int, on_event: Listener = ignore) -> None:
        self._root_fd = root_fd
        self._on_event = on_event
        self._fd = -1

    def acquire(self) -> None:
        """Wait until the lock is ours; tell the listener that we wait.

        Raises:
            OSError: the file cannot be made.
        """
        reminded: float | None = None
        while True:
            fd = os.open(
                _PATH,
                os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW,
                0o600,
                dir_fd=self._root_fd,
            )
            try:
                while not try_lock(fd, exclusive=True):
                    now = time.monotonic()
                    if reminded is None or now - reminded >= _REMIND_SECONDS:
                        self._on_event(Message("Waiting for sysroot lock..."))
                        reminded = now
                    time.sleep(_POLL_SECONDS)
                if self._is_current(fd):
                    self._fd, fd = fd, -1
                    return
            finally:
                if fd >= 0:
                    os.close(fd)

    def _is_current(self, fd: int) -> bool:
        """Whether the path still names the file: its holder removes it before letting go."""
        try:
            there = os.stat(_PATH, dir_fd=self._root_fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(os.fstat(fd), there)

    def release(self) -> None:
        """Give it up."""
        if self._fd < 0:
            return
        try:
            os.unlink(_PATH, dir_fd=self._root_fd)
        finally:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
