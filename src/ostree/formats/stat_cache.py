"""The stat cache: which file was found to have which checksum (docs/formats/stat-cache.md).

A header, a group of records for each directory, and an index of the groups.  All numbers are
little-endian.
"""

from __future__ import annotations

import struct
from binascii import crc32
from hashlib import sha256

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC = b"pyostree-stat-1\n"
#: Magic, boot, number of times it was written, number of groups, where the index is, its CRC-32.
_HEADER = struct.Struct("<16s16sIIQI12x")
#: Device, inode, place, number of records, when they were last used, their CRC-32.
_ENTRY = struct.Struct("<QQQIIII")
#: Inode, size, mtime and ctime in nanoseconds, what is committed besides the content.
_KEY = struct.Struct("<QQqq16s")
_RECORD = struct.Struct(f"{_KEY.size}s32s")

HEADER_SIZE, ENTRY_SIZE, RECORD_SIZE = _HEADER.size, _ENTRY.size, _RECORD.size
#: Caches above this size are neither read nor written, in bytes: 1.6 million files.
MAX_SIZE = 128 << 20
_MAX_NUMBER = (1 << 32) - 1


class Group:
    """Where the records of a directory are: ``count`` of them from ``offset`` on.

    ``used`` is the number of the write at which they were last looked at.
    """

    __slots__ = ("checksum", "count", "offset", "used")

    def __init__(self, offset: int, count: int, used: int, checksum: int) -> None:
        self.offset = offset
        self.count = count
        self.used = used
        self.checksum = checksum

    @property
    def size(self) -> int:
        """Bytes of the records."""
        return self.count * RECORD_SIZE


class Header:
    """What is at the beginning: when it was written, and where the index of the groups is.

    ``boot`` is the mark of the boot, ``number`` how often it was written since.
    """

    __slots__ = ("boot", "groups", "index_at", "index_checksum", "number")

    def __init__(
        self, boot: bytes, number: int, groups: int, index_at: int, index_checksum: int
    ) -> None:
        self.boot = boot
        self.number = number
        self.groups = groups
        self.index_at = index_at
        self.index_checksum = index_checksum

    @classmethod
    def of_index(cls, boot: bytes, number: int, index_at: int, index: bytes) -> Header:
        """The header for an index that is put at a place."""
        return cls(boot, number, len(index) // _ENTRY.size, index_at, crc32(index))

    @property
    def index_size(self) -> int:
        """Bytes of the index."""
        return self.groups * _ENTRY.size


def boot_mark(boot_id: str) -> bytes:
    """16 bytes for a boot of the machine."""
    return sha256(boot_id.encode("utf-8", "surrogateescape")).digest()[:16]


def header_mark(content_prefix: bytes) -> bytes:
    """16 bytes for all that is committed of a file besides its content."""
    return sha256(content_prefix).digest()[:16]


def key_of(inode: int, size: int, modified: int, changed: int, mark: bytes) -> bytes | None:
    """The key of a file; None for times (in nanoseconds) that are out of every range."""
    try:
        return _KEY.pack(inode, size, modified, changed, mark)
    except struct.error:
        return None


def encode_header(header: Header) -> bytes:
    """Serialise."""
    return _HEADER.pack(
        _MAGIC,
        header.boot,
        header.number,
        header.groups,
        header.index_at,
        header.index_checksum,
    )


def decode_header(data: bytes, size: int) -> Header:
    """Parse; ``size`` is that of the whole file.

    Raises:
        FormatError: if the file is no cache, or not whole.
    """
    if len(data) != _HEADER.size or size > MAX_SIZE:
        raise FormatError("Not a stat cache")
    magic, boot, number, groups, index_at, checksum = _HEADER.unpack(data)
    header = Header(boot, number, groups, index_at, checksum)
    fits = index_at >= _HEADER.size and index_at + header.index_size == size
    if magic != _MAGIC or not fits or number >= _MAX_NUMBER:
        raise FormatError("Not a stat cache")
    return header


def encode_index(groups: Mapping[tuple[int, int], Group]) -> bytes:
    """Serialise groups by the device and inode of their directories."""
    return b"".join(
        [
            _ENTRY.pack(*directory, group.offset, group.count, group.used, group.checksum, 0)
            for directory, group in groups.items()
        ]
    )


def decode_index(data: bytes, header: Header) -> dict[tuple[int, int], Group]:
    """Parse.

    Raises:
        FormatError: if it is damaged, or leads out of the file.
    """
    if len(data) != header.index_size or crc32(data) != header.index_checksum:
        raise FormatError("Damaged index of a stat cache")
    groups = {}
    for device, inode, offset, count, used, checksum, _ in _ENTRY.iter_unpack(data):
        group = Group(offset, count, used, checksum)
        if offset < _HEADER.size or offset + group.size > header.index_at:
            raise FormatError("Index of a stat cache leads out of it")
        groups[device, inode] = group
    return groups


def is_intact(records: bytes, group: Group) -> bool:
    """Whether the bytes are those that the index means."""
    return len(records) == group.size and crc32(records) == group.checksum


def group_of(records: bytes, offset: int, used: int) -> Group:
    """The group that the records become at a place."""
    return Group(offset, len(records) // _RECORD.size, used, crc32(records))


def decode_records(data: bytes, group: Group) -> dict[bytes, bytes]:
    """The digests of a directory's files by their keys.

    Raises:
        FormatError: if they are damaged.
    """
    if not is_intact(data, group):
        raise FormatError("Damaged records of a stat cache")
    return dict(_RECORD.iter_unpack(data))
