"""Partitions of a disk, whatever table lists them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple
from uuid import UUID

#: Bytes of a sector.  Disks with larger ones are addressed in these by all firmware we meet.
SECTOR = 512


class PartitionKind(Enum):
    """What a partition holds, as the tables name it: GPT's type and MBR's.

    The types of GPT are those of the UEFI specification and of the Discoverable Partitions
    Specification.
    """

    EFI = (UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"), 0xEF)
    FAT = (UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"), 0x0C)
    EXTENDED_BOOT = (UUID("bc13c2ff-59e6-4262-a352-b275fd6f7172"), 0xEA)
    LINUX = (UUID("0fc63daf-8483-4772-8e79-3d69d8477de4"), 0x83)

    @property
    def guid(self) -> UUID:
        """The type in a GPT."""
        return self.value[0]

    @property
    def mbr_type(self) -> int:
        """The type in an MBR."""
        return self.value[1]


class DiskPartition(NamedTuple):
    """A partition.

    Attributes:
        name: Its label in a GPT; an MBR has none.
        kind: What it holds.
        first: Its first sector.
        sectors: How many it has.
        uuid: Its identity in a GPT; in an MBR the place in the table is all there is.
        bootable: Whether firmware that looks for boot scripts looks here.
    """

    name: str
    kind: PartitionKind
    first: int
    sectors: int
    uuid: UUID
    bootable: bool = False

    @property
    def last(self) -> int:
        """Its last sector."""
        return self.first + self.sectors - 1


def find_fault(partitions: list[DiskPartition], first: int, last: int) -> str | None:
    """What is wrong with the places of partitions, None if nothing is.

    Args:
        partitions: In the order of the table.
        first: The first sector that one may use.
        last: The last one.
    """
    before: DiskPartition | None = None
    for partition in sorted(partitions, key=lambda partition: partition.first):
        if partition.sectors < 1:
            return f"Partition {partition.name} is empty"
        if partition.first < first or partition.last > last:
            return f"Partition {partition.name} is not within sectors {first} to {last}"
        if before is not None and before.last >= partition.first:
            return f"Partitions {before.name} and {partition.name} overlap"
        before = partition
    return None
