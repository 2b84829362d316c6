"""The directory that an image is made in: beside it, and gone when it is done."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager

from ostree.errors import ImageError
from ostree.system.anonymous import random_name
from ostree.system.files import open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Of a name of 255 bytes at most, there must be room for what makes it unique.
_KEPT_OF_NAME = 200


@contextmanager
def workplace(path: str) -> Iterator[str]:
    """A new directory on the file system of an image to be.

    It is locked while it is in use, so that those of killed programs are known, and removed.

    Args:
        path: Of the image.

    Raises:
        ImageError: that is a directory.
        OSError: none can be made there.
    """
    if os.path.isdir(path):
        raise ImageError(f"{path} is a directory")
    directory, name = os.path.split(path)
    prefix = f".{name[:_KEPT_OF_NAME]}."
    _remove_abandoned(directory, prefix)
    place, fd = _make_locked(directory, prefix)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(fd)


def _make_locked(directory: str, prefix: str) -> tuple[str, int]:
    while True:
        place = os.path.join(directory, random_name(prefix))
        os.mkdir(place, 0o700)
        fd = open_directory(place)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.path.isdir(place):
            return place, fd
        # Somebody took it for an abandoned one before it was locked.
        os.close(fd)


def _remove_abandoned(directory: str, prefix: str) -> None:
    abandoned = re.compile(re.escape(prefix) + "[0-9a-f]{16}")
    for name in os.listdir(directory or "."):
        if not abandoned.fullmatch(name):
            continue
        place = os.path.join(directory, name)
        try:
            fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # Not one of ours, or gone meanwhile.
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        except BlockingIOError:
            continue  # In use.
        finally:
            os.close(fd)
