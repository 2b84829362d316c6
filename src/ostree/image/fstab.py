"""The file systems that a deployment mounts besides its root (fstab(5))."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Mount(NamedTuple):
    """A file system to be mounted.

    Attributes:
        uuid: Its identity.
        place: Where.
        options: How.
        kind: ``ext4`` or ``vfat``; the latter is not checked at the start.
    """

    uuid: str
    place: str
    options: str
    kind: str = "ext4"

    def to_line(self) -> str:
        """The line of fstab(5)."""
        order = 0 if self.kind == "vfat" else 2
        return f"UUID={self.uuid} {self.place} {self.kind} {self.options} 0 {order}\n"


def add_mounts(text: str, mounts: Iterable[Mount]) -> str:
    """Add lines for mount points that have none.

    Args:
        text: The file as it is.
        mounts: What is to be mounted.
    """
    taken = {
        fields[1].rstrip("/")
        for fields in (line.split() for line in text.splitlines())
        if len(fields) > 1 and not fields[0].startswith("#")
    }
    lines = [mount.to_line() for mount in mounts if mount.place not in taken]
    if lines and text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(lines)
