"""What is on a file system brought to its own place on the disk.

What fsync(2) and syncfs(2) bring to the disk may be in the journal only, where whoever reads the
disk without replaying the journal, as boot loaders do, does not see it.  Of ext4 the journal can be
emptied by a call for just that; of others by freezing them, which stops all who write.
"""

from __future__ import annotations

import fcntl
import os
import sys

from ostree.system.closing import Closing
from ostree.system.file_system_type import EXT4, file_system_type
from ostree.system.files import sync_filesystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.system.freezing import Freezer

#: ``EXT4_IOC_CHECKPOINT``: _IOW('f', 43, __u32), Linux 5.15; another number, which no kernel takes
#: for something else, where the bits of _IOW are others.
_CHECKPOINT = 0x4004662B
#: Neither discard nor overwrite the journal's blocks.
_NO_FLAGS = (0).to_bytes(4, sys.byteorder)


class Checkpointer(Closing):
    """Empties the journal of one file system; a context manager.

    Args:
        fd: A descriptor on the file system; a duplicate of it is kept.
    """

    def __init__(self, fd: int) -> None:
        self._fd = os.dup(fd)
        self._freezer: Freezer | None = None
        self._may_ask = True

    def close(self) -> None:
        """Let go of what it takes."""
        if self._freezer is not None:
            self._freezer.close()
            self._freezer = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def checkpoint(self, *, synced: bool = False) -> None:
        """Bring everything on the file system to its place on the disk.

        Args:
            synced: Whether what matters has been synced, so that at most the journal has it.

        Raises:
            OSError: the disk fails.
        """
        if self._may_ask:
            self._may_ask = file_system_type(self._fd) == EXT4
        if self._may_ask:
            if not synced:
                sync_filesystem(self._fd)
            self._may_ask = empty_journal(self._fd)
        if not self._may_ask:
            self._freeze()

    def _freeze(self) -> None:
        if self._freezer is None:
            from ostree.system.freezing import Freezer

            self._freezer = Freezer(self._fd)
        self._freezer.checkpoint()


def empty_journal(fd: int) -> bool:
    """Write what is in the journal of an ext4 file system to its place.

    Returns:
        False if it is to be done in another way: the kernel is too old, we may not, or it has no
        journal; or the disk fails, which is met again there.
    """
    try:
        fcntl.ioctl(fd, _CHECKPOINT, _NO_FLAGS)
    except OSError:
        return False
    return True
