"""What a verification found."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.types import Checksum, ObjectName


class BadObject:
    """An object that is missing or not what its name says.

    Attributes:
        name: Which.
        missing: Whether it is not there; otherwise it is damaged.
        message: What is wrong, as it was told.
        commits: The commits that need it, as far as they are verified.
    """

    __slots__ = ("commits", "message", "missing", "name")

    def __init__(
        self, name: ObjectName, message: str, commits: Sequence[Checksum], *, missing: bool
    ) -> None:
        self.name = name
        self.message = message
        self.commits = tuple(commits)
        self.missing = missing

    def __repr__(self) -> str:
        return f"BadObject({self.message!r})"


class FsckResult:
    """What was found.

    Attributes:
        commits: Number of commits verified.
        objects: Number of objects verified.
        partial: Number of partial commits, which were not verified.
        corrupted: Whether anything was missing or damaged.
        partial_from_fsck: Whether one of the partial commits was marked by an earlier fsck.
        bad: What was missing or damaged, in the order it was found.
        marked: Commits that were marked as partial.
        whole: Commits that an earlier fsck had marked and that lack nothing any more; known only
            if those were verified.
        tombstones: Missing parents that got a tombstone.
    """

    __slots__ = (
        "bad",
        "commits",
        "corrupted",
        "marked",
        "objects",
        "partial",
        "partial_from_fsck",
        "tombstones",
        "whole",
    )

    def __init__(self) -> None:
        self.commits = 0
        self.objects = 0
        self.partial = 0
        self.corrupted = False
        self.partial_from_fsck = False
        self.bad: list[BadObject] = []
        self.marked: list[Checksum] = []
        self.whole: list[Checksum] = []
        self.tombstones: list[Checksum] = []
