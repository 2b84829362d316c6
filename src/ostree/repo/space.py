"""The minimum of free space a transaction leaves (repository format §4.8)."""

from __future__ import annotations

import os
import threading

from ostree.errors import RepoError, SpaceError
from ostree.formats.size_text import format_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.config import Config

#: What can be asked for, in bytes: whole megabytes that fit into 64 bits.
_MAX_SIZE = (1 << 64) - (1 << 20)
#: Bytes in which processes count together: a number of eight bytes for each.
_SHARED = 64


class SpaceBudget:
    """How many blocks new content objects may take.

    Args:
        dir_fd: A directory on the file system.
        minimum: (bytes, percent) that must stay free; bytes win when not 0.
        setting: The configuration's text for it, for the message.

    Raises:
        RepoError: if so many bytes cannot be counted.
    """

    def __init__(self, dir_fd: int, minimum: tuple[int, int], setting: str) -> None:
        size, percent = minimum
        if size > _MAX_SIZE:
            raise RepoError(
                "Error calculating min-free-space bytes: min-free-space value is greater than "
                f"the maximum allowed value of {_MAX_SIZE >> 20} bytes"
            )
        info = os.statvfs(dir_fd)
        self._setting = setting
        self._block = info.f_bsize or 4096
        free = info.f_bfree if os.geteuid() == 0 else info.f_bavail
        reserved = size or info.f_blocks * info.f_frsize * percent // 100
        self._most = max(0, free - reserved // self._block)
        self._unlimited = not size and not percent
        self._lock = threading.Lock()
        #: Blocks taken by each process, of which each changes its own number alone.
        self._taken: memoryview | list[int] = [0]
        self._own = 0

    def share(self) -> None:
        """Count together with the processes that are forked from now on, seven at most."""
        if not self._unlimited and isinstance(self._taken, list):
            import mmap

            taken = memoryview(mmap.mmap(-1, _SHARED)).cast("Q")
            taken[0] = self._taken[0]
            self._taken = taken

    def enter_process(self, number: int) -> None:
        """In a process that was forked: count what it takes under its number, which is above 0."""
        self._own = number

    def charge(self, size: int) -> None:
        """Account for a content object of ``size`` bytes.

        Raises:
            SpaceError: naming the setting that would not be kept.
        """
        if self._unlimited:
            return
        blocks = size // self._block + 1
        with self._lock:
            # First taken and then looked at: of two processes both may fail, never succeed.
            self._taken[self._own] += blocks
            enough = sum(self._taken) <= self._most
            if not enough:
                self._taken[self._own] -= blocks
        if not enough:
            asked = format_size(blocks * self._block)
            raise SpaceError(f"{self._setting} would be exceeded, at least {asked} requested")


def space_budget(dir_fd: int, config: Config) -> SpaceBudget:
    """What the configuration of a repository leaves for new content.

    Raises:
        FormatError: if the configuration is wrong.
        RepoError: as :class:`SpaceBudget`.
    """
    minimum = config.min_free_space
    setting = (
        f"min-free-space-size {minimum[0] >> 20}MB"
        if minimum[0]
        else f"min-free-space-percent '{minimum[1]}%'"
    )
    return SpaceBudget(dir_fd, minimum, setting)
