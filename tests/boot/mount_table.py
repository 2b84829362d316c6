"""What a running system has mounted (proc_pid_mountinfo(5))."""

from __future__ import annotations

from typing import NamedTuple


class Mount(NamedTuple):
    """A mount.

    Attributes:
        device: The number of the file system's device.
        root: Which directory of the file system it is.
        options: Of this mount alone.
    """

    device: str
    root: str
    options: tuple[str, ...]


def read_mounts(mountinfo: str) -> dict[str, Mount]:
    """The mounts by their places; of several at one place the uppermost."""
    table = {}
    for line in mountinfo.splitlines():
        _, _, device, root, place, options, *_ = line.split(" ")
        table[place] = Mount(device, root, tuple(options.split(",")))
    return table
