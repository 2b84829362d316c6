"""The file systems that a deployment mounts besides its root (fstab(5))."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID


def add_mounts(text: str, mounts: Iterable[tuple[UUID, str, str]]) -> str:
    """Add lines for mount points that have none.

    Args:
        text: The file as it is.
        mounts: For each the file system, where it is mounted, and options.
    """
    taken = {
        fields[1].rstrip("/")
        for fields in (line.split() for line in text.splitlines())
        if len(fields) > 1 and not fields[0].startswith("#")
    }
    lines = [
        f"UUID={uuid} {place} ext4 {options} 0 2\n"
        for uuid, place, options in mounts
        if place not in taken
    ]
    if lines and text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(lines)
