"""Which partitions a disk image has, where they are and what identifies them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

from ostree.errors import ImageError
from ostree.formats import gpt
from ostree.formats.disk_partition import SECTOR, DiskPartition, PartitionKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
#: Of UUIDs that are made from a seed.
_NAMESPACE = UUID("6f737472-6565-5069-8d61-676573656564")
#: What U-Boot's scripts and EFI programs need is small; FAT has a minimum, too.
_FIRMWARE_SIZE = {PartitionKind.FAT: 16 * MIB, PartitionKind.EFI: 64 * MIB}
_LEAST_BOOT = 64 * MIB
_LEAST_ROOT = 64 * MIB
#: What a file system takes for itself: a share of its size, and its journal.
_OVERHEAD_PERCENT, _OVERHEAD = 8, 24 * MIB


class Table(Enum):
    """The kind of partition table."""

    GPT = "gpt"
    MBR = "mbr"


class Role(Enum):
    """What a partition is for; the values are names and labels."""

    FIRMWARE = "firmware"
    BOOT = "boot"
    ROOT = "root"
    DATA = "data"


class LayoutRequest(NamedTuple):
    """What a disk has to have room for; sizes in bytes.

    Attributes:
        table: The kind of partition table.
        firmware: The kind of the FAT partition, None for none.
        firmware_content: What has to fit into it.
        boot_content: What has to fit into a boot partition, None for none.
        root_content: What has to fit into the root partition.
        data: The size of the data partition, None for none.
        size: The size of the disk; what is sensible if None.
        reserve: Where the first partition begins: what is before it belongs to the firmware.
        seed: Identities are made from this, so that they are always the same; random if None.
    """

    table: Table
    firmware: PartitionKind | None
    boot_content: int | None
    root_content: int
    firmware_content: int = 0
    data: int | None = None
    size: int | None = None
    reserve: int = MIB
    seed: str | None = None


class Volume(NamedTuple):
    """A partition with its file system.

    Attributes:
        role: What it is for.
        partition: Where it is.
        uuid: The identity of its file system.
    """

    role: Role
    partition: DiskPartition
    uuid: UUID

    @property
    def offset(self) -> int:
        """Where it begins, in bytes."""
        return self.partition.first * SECTOR

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.partition.sectors * SECTOR

    @property
    def fat_serial(self) -> int:
        """The 32 bits that identify a FAT file system."""
        return self.uuid.int & 0xFFFFFFFF

    @property
    def fat_uuid(self) -> str:
        """What tools call these: as blkid has it."""
        return f"{self.fat_serial >> 16:04X}-{self.fat_serial & 0xFFFF:04X}"


class DiskLayout(NamedTuple):
    """A disk.

    Attributes:
        table: The kind of partition table.
        disk: Its identity; an MBR has the first 32 bits of it.
        size: Its size in bytes.
        volumes: Its partitions in their order.
    """

    table: Table
    disk: UUID
    size: int
    volumes: tuple[Volume, ...]

    def volume(self, role: Role) -> Volume | None:
        """The partition for something, if there is one."""
        return next((volume for volume in self.volumes if volume.role is role), None)

    @property
    def partitions(self) -> list[DiskPartition]:
        """The partitions for the table."""
        return [volume.partition for volume in self.volumes]

    def partition_uuid(self, number: int) -> str:
        """What Linux knows the partition with a number, from 1, by: ``PARTUUID=``.

        An MBR has no identities of partitions: there it is made of the disk's and of the number.
        """
        if self.table is Table.MBR:
            return f"{self.signature:08x}-{number:02x}"
        return str(self.volumes[number - 1].partition.uuid)

    @property
    def signature(self) -> int:
        """The disk's identity in an MBR."""
        return self.disk.int >> 96


def plan_layout(request: LayoutRequest) -> DiskLayout:
    """Place everything, each partition at a whole MiB.

    Raises:
        ImageError: the disk is too small.
    """
    sizes: dict[Role, int] = {}
    if request.firmware is not None:
        least = _FIRMWARE_SIZE[request.firmware]
        sizes[Role.FIRMWARE] = max(least, _whole(request.firmware_content * 5 // 4))
    if request.boot_content is not None:
        # Two deployments, and a third one while an update is made.
        sizes[Role.BOOT] = max(_LEAST_BOOT, needed_size(3 * request.boot_content))
    sizes[Role.ROOT] = 0
    if request.data is not None:
        sizes[Role.DATA] = _whole(request.data)
    start = _whole(request.reserve)
    end = _whole(gpt.TRAILING * SECTOR)
    sizes[Role.ROOT], total = _root_size(request, start + sum(sizes.values()) + end)
    return _place(request, sizes, start=start, total=total)


def needed_size(content: int) -> int:
    """How large a file system has to be, at least, to hold so many bytes."""
    return _whole(content * (100 + _OVERHEAD_PERCENT) // 100 + _OVERHEAD)


def _root_size(request: LayoutRequest, others: int) -> tuple[int, int]:
    """The sizes of the root partition and of the disk."""
    least = max(_LEAST_ROOT, needed_size(request.root_content))
    if request.size is None:
        # Room for a second deployment that shares nothing with the first.
        root = max(least, needed_size(2 * request.root_content))
        return root, others + root
    size = request.size // MIB * MIB
    if size - others < least:
        raise ImageError(
            f"A disk of {request.size // MIB} MiB is too small: "
            f"this system needs {(others + least) // MIB} MiB at least"
        )
    return size - others, size


def _place(request: LayoutRequest, sizes: dict[Role, int], *, start: int, total: int) -> DiskLayout:
    identity = _identities(request.seed)
    kinds = {
        Role.FIRMWARE: request.firmware or PartitionKind.FAT,
        Role.BOOT: PartitionKind.EXTENDED_BOOT,
        Role.ROOT: PartitionKind.LINUX,
        Role.DATA: PartitionKind.LINUX,
    }
    if request.table is Table.MBR:
        # There the type of a boot partition means nothing to anybody.
        kinds[Role.BOOT] = PartitionKind.LINUX
    disk = identity("disk")
    volumes = []
    first = Role.FIRMWARE if Role.FIRMWARE in sizes else next(iter(sizes))
    for role, size in sizes.items():
        partition = DiskPartition(
            role.value,
            kinds[role],
            start // SECTOR,
            size // SECTOR,
            identity(f"partition {role.value}"),
            bootable=role is first and kinds[role] is not PartitionKind.EFI,
        )
        volumes.append(Volume(role, partition, identity(f"file system {role.value}")))
        start += size
    return DiskLayout(request.table, disk, total, tuple(volumes))


def _identities(seed: str | None) -> Callable[[str], UUID]:
    if seed is None:
        return lambda _name: uuid4()
    return lambda name: uuid5(_NAMESPACE, f"{seed}/{name}")


def _whole(size: int) -> int:
    """A size in whole MiB, rounded up."""
    return -(-size // MIB) * MIB
