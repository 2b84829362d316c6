"""How far the deltas of a pull have come, for whoever watches."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.delta.superblock import PartHeader, Superblock


class DeltaTally:
    """How far all deltas of a pull have come.

    Attributes:
        parts: Parts that are there, or need not be fetched.
        requested_parts: Of how many.
        size: Their bytes.
        requested_size: Of how many.
    """

    __slots__ = ("parts", "requested_parts", "requested_size", "size")

    def __init__(self) -> None:
        self.parts = 0
        self.requested_parts = 0
        self.size = 0
        self.requested_size = 0

    def request(self, superblocks: Sequence[Superblock]) -> None:
        """These are going to be fetched."""
        for superblock in superblocks:
            self.requested_parts += len(superblock.parts)
            self.requested_size += superblock.part_size

    def done(self, header: PartHeader) -> None:
        """A part is there, or need not be fetched."""
        self.parts += 1
        self.size += header.size
