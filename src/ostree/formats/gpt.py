"""GUID partition tables (UEFI specification, chapter 5.3).

The table stands twice: sectors 1 to 33, and in the disk's last 33 sectors, there with the header
behind the entries.  Sector 0 has an MBR that protects it.  All numbers are little-endian, and so
are the first three parts of a GUID.
"""

from __future__ import annotations

import struct
from binascii import crc32
from typing import NamedTuple
from uuid import UUID

from ostree.errors import FormatError
from ostree.formats import mbr
from ostree.formats.disk_partition import SECTOR, DiskPartition, PartitionKind, find_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PARTITIONS = 128
#: Sectors before the first partition at least, and after the last one.
LEADING, TRAILING = 34, 33
_MAGIC = b"EFI PART"
_REVISION = 0x00010000
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_ENTRY_SECTORS = MAX_PARTITIONS * _ENTRY.size // SECTOR
_MAX_NAME = 36
#: An attribute for firmware that is not UEFI, as U-Boot: look here for something to boot.
_LEGACY_BOOTABLE = 1 << 2


class Gpt(NamedTuple):
    """A table as it is written.

    Attributes:
        start: The first sectors of the disk, with the protective MBR.
        end: The last sectors of the disk.
    """

    start: bytes
    end: bytes


def encode(partitions: Sequence[DiskPartition], *, disk: UUID, sectors: int) -> Gpt:
    """Both copies of a table.

    Args:
        partitions: In their order.
        disk: The identity of the disk.
        sectors: How many it has.

    Raises:
        FormatError: too many partitions, a name that is too long, or an impossible place.
    """
    if len(partitions) > MAX_PARTITIONS:
        raise FormatError(f"A GPT has room for {MAX_PARTITIONS} partitions")
    first, last = LEADING, sectors - TRAILING - 1
    fault = find_fault(list(partitions), first, last)
    if fault is not None:
        raise FormatError(fault)
    entries = b"".join(map(_encode_entry, partitions)).ljust(_ENTRY_SECTORS * SECTOR, b"\0")
    checksum = crc32(entries)

    def header(here: int, other: int, table: int) -> bytes:
        fields = (_MAGIC, _REVISION, _HEADER.size, 0, 0, here, other, first, last, disk.bytes_le)
        tail = (table, MAX_PARTITIONS, _ENTRY.size, checksum)
        data = bytearray(_HEADER.pack(*fields, *tail))
        struct.pack_into("<I", data, 16, crc32(data))
        return bytes(data).ljust(SECTOR, b"\0")

    start = mbr.encode_protective(sectors) + header(1, sectors - 1, 2) + entries
    return Gpt(start, entries + header(sectors - 1, 1, sectors - TRAILING))


def _encode_entry(partition: DiskPartition) -> bytes:
    name = partition.name.encode("utf-16-le")
    if len(name) > 2 * _MAX_NAME:
        raise FormatError(f"The partition name {partition.name} is too long")
    return _ENTRY.pack(
        partition.kind.guid.bytes_le,
        partition.uuid.bytes_le,
        partition.first,
        partition.last,
        _LEGACY_BOOTABLE if partition.bootable else 0,
        name,
    )


def decode(data: bytes) -> tuple[UUID, list[DiskPartition]]:
    """The identity of a disk and its partitions, from its first 34 sectors.

    Raises:
        FormatError: there is no table, its checksums are wrong, or a partition is of a type
            that we do not make.
    """
    if len(data) < LEADING * SECTOR or data[SECTOR : SECTOR + 8] != _MAGIC:
        raise FormatError("Not a GUID partition table", offset=SECTOR)
    fields = _HEADER.unpack_from(data, SECTOR)
    header = bytearray(data[SECTOR : SECTOR + _HEADER.size])
    header[16:20] = bytes(4)
    if fields[2] != _HEADER.size or crc32(header) != fields[3]:
        raise FormatError("The header of the partition table is damaged", offset=SECTOR)
    table, count, size, checksum = fields[10:14]
    if (table, count, size) != (2, MAX_PARTITIONS, _ENTRY.size):
        raise FormatError("An unusual partition table", offset=SECTOR + 72)
    entries = data[2 * SECTOR : LEADING * SECTOR]
    if crc32(entries) != checksum:
        raise FormatError("The entries of the partition table are damaged", offset=2 * SECTOR)
    found = [_decode_entry(*entry) for entry in _ENTRY.iter_unpack(entries) if any(entry[0])]
    return UUID(bytes_le=fields[9]), found


def _decode_entry(
    type: bytes, uuid: bytes, first: int, last: int, attributes: int, name: bytes
) -> DiskPartition:
    guid = UUID(bytes_le=type)
    kind = next((kind for kind in PartitionKind if kind.guid == guid), None)
    if kind is None:
        raise FormatError(f"Unknown partition type {guid}")
    return DiskPartition(
        name.decode("utf-16-le", "replace").rstrip("\0"),
        kind,
        first,
        last - first + 1,
        UUID(bytes_le=uuid),
        bool(attributes & _LEGACY_BOOTABLE),
    )
