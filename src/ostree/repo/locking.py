"""The repository's advisory lock (repository format §4.6)."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from ostree.repo.config import Config


class RepoLock:
    """A re-entrant lock on ``.lock``: an inner exclusive one upgrades, and leaving it converts back.

    Nothing is locked in repositories without write permission or with locking switched off.
    """

    def __init__(self, dir_fd: int, config: Config, *, writable: bool) -> None:
        self._dir_fd = dir_fd
        self._config = config
        self._active = writable and config.locking
        self._fd = -1
        self._held: list[bool] = []

    def hold(self, *, exclusive: bool) -> HeldLock:
        """A context manager that holds the lock for the length of a ``with`` block.

        Entering it raises LockError: ``Locking repo shared failed: Resource temporarily
        unavailable``.
        """
        return HeldLock(self, exclusive=exclusive)

    def push(self, *, exclusive: bool) -> None:
        """Take the lock once more; see :meth:`hold`."""
        from ostree.system import locks

        if not self._active:
            return
        if self._fd < 0:
            self._fd = os.open(
                ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o660, dir_fd=self._dir_fd
            )
        if not self._held or (exclusive and not any(self._held)):
            kind = "exclusive" if exclusive else "shared"
            try:
                locks.wait_lock(
                    self._fd,
                    exclusive=exclusive,
                    seconds=self._config.lock_timeout,
                    what=f"Locking repo {kind}",
                )
            except BaseException:
                if not self._held:
                    self._close()
                raise
        self._held.append(exclusive)

    def pop(self) -> None:
        """Undo the last :meth:`push`."""
        from ostree.system import locks

        if not self._active:
            return
        exclusive = self._held.pop()
        if not self._held:
            self._close()
        elif exclusive and not any(self._held):
            locks.try_lock(self._fd, exclusive=False)

    def _close(self) -> None:
        os.close(self._fd)
        self._fd = -1


class HeldLock:
    """The lock while it is held; not ``contextlib``, which costs the cheap commands too much."""

    __slots__ = ("_exclusive", "_lock")

    def __init__(self, lock: RepoLock, *, exclusive: bool) -> None:
        self._lock = lock
        self._exclusive = exclusive

    def __enter__(self) -> None:
        self._lock.push(exclusive=self._exclusive)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.pop()
