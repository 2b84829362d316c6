"""The partition table of the first sector: MBR, and the one that protects a GPT.

====== ===== =========================================
offset bytes what
====== ===== =========================================
0      440   code of the boot loader
440    4     the disk's signature, little-endian
444    2     zero
446    4×16  partitions
510    2     55 AA
====== ===== =========================================

A partition is: 80 if bootable; its first sector as cylinder, head and sector; its type; its last
sector likewise; first sector and count of sectors, 32 bits little-endian each.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ostree.errors import FormatError
from ostree.formats.disk_partition import SECTOR, find_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.disk_partition import DiskPartition

MAX_PARTITIONS = 4
_TABLE = 446
_MAGIC = b"\x55\xaa"
_PROTECTIVE = 0xEE
_MAX_SECTORS = 0xFFFFFFFF
#: What BIOSes take for the shape of a disk.
_HEADS, _PER_TRACK, _CYLINDERS = 255, 63, 1024
#: A place beyond what cylinder, head and sector can say.
_BEYOND = bytes((0xFE, 0xFF, 0xFF))
_RECORD = struct.Struct("<B3sB3sII")


class MbrRecord(NamedTuple):
    """A partition as an MBR lists it.

    Attributes:
        bootable: Whether it is the active one.
        type: Its type.
        first: Its first sector.
        sectors: How many it has.
    """

    bootable: bool
    type: int
    first: int
    sectors: int


def encode(partitions: Sequence[DiskPartition], *, signature: int, sectors: int) -> bytes:
    """The first sector of a disk.

    Args:
        partitions: In their order.
        signature: 32 bits that tell disks apart.
        sectors: How many the disk has.

    Raises:
        FormatError: too many partitions, or one in an impossible place.
    """
    if len(partitions) > MAX_PARTITIONS:
        raise FormatError(f"An MBR has room for {MAX_PARTITIONS} partitions")
    fault = find_fault(list(partitions), 1, min(sectors - 1, _MAX_SECTORS))
    if fault is not None:
        raise FormatError(fault)
    records = [MbrRecord(p.bootable, p.kind.mbr_type, p.first, p.sectors) for p in partitions]
    return _encode(records, signature)


def encode_protective(sectors: int) -> bytes:
    """The first sector of a disk with a GPT: one partition over all of it (UEFI 5.2.3)."""
    count = min(sectors - 1, _MAX_SECTORS)
    return _encode([MbrRecord(bootable=False, type=_PROTECTIVE, first=1, sectors=count)], 0)


def _encode(records: Sequence[MbrRecord], signature: int) -> bytes:
    data = bytearray(SECTOR)
    struct.pack_into("<I", data, 440, signature)
    for index, record in enumerate(records):
        last = record.first + record.sectors - 1
        _RECORD.pack_into(
            data,
            _TABLE + index * _RECORD.size,
            0x80 if record.bootable else 0,
            _cylinder_head_sector(record.first),
            record.type,
            _BEYOND if record.type == _PROTECTIVE else _cylinder_head_sector(last),
            record.first,
            record.sectors,
        )
    data[510:512] = _MAGIC
    return bytes(data)


def _cylinder_head_sector(sector: int) -> bytes:
    track, in_track = divmod(sector, _PER_TRACK)
    cylinder, head = divmod(track, _HEADS)
    if cylinder >= _CYLINDERS:
        return _BEYOND
    return bytes((head, (in_track + 1) | (cylinder >> 2 & 0xC0), cylinder & 0xFF))


def decode(data: bytes) -> tuple[int, list[MbrRecord]]:
    """Signature and partitions of a first sector; unused records are left out.

    Raises:
        FormatError: it is none.
    """
    if len(data) < SECTOR or data[510:512] != _MAGIC:
        raise FormatError("Not a partition table", offset=510)
    (signature,) = struct.unpack_from("<I", data, 440)
    records = []
    for index in range(MAX_PARTITIONS):
        flags, _, type, _, first, sectors = _RECORD.unpack_from(data, _TABLE + index * _RECORD.size)
        if type:
            records.append(MbrRecord(bool(flags & 0x80), type, first, sectors))
    return signature, records
