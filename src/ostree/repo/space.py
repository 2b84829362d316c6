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
        self._left = max(0, free - reserved // self._block)
        self._unlimited = not size and not percent
        self._lock = threading.Lock()

    def charge(self, size: int) -> None:
        """Account for a content object of ``size`` bytes.

        Raises:
            SpaceError: naming the setting that would not be kept.
        """
        if self._unlimited:
            return
        with self._lock:
            blocks = size // self._block + 1
            self._left -= blocks
            enough = self._left >= 0
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
