"""Files put in place on FAT, which has neither permissions nor unnamed files."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def replace_fat_file(name: str, dir_fd: int, fill: Callable[[int], object]) -> None:
    """Put a file in place by a rename when its content is on the disk; so is the name, afterwards.

    Args:
        name: In the directory; what a crash left as ``NAME.new`` is overwritten.
        dir_fd: The directory.
        fill: Writes the content to a descriptor.

    Raises:
        OSError: it cannot be written; then nothing of it is left.
    """
    temporary = f"{name}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    fd = os.open(temporary, flags, 0o644, dir_fd=dir_fd)
    try:
        try:
            fill(fd)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except OSError:
        os.unlink(temporary, dir_fd=dir_fd)
        raise
    os.fsync(dir_fd)
