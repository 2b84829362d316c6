"""``ostree.sizes`` metadata ``aay`` (repository format §5.3)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.types import Checksum, ObjectType


class ObjectSize:
    """How large an object is: as stored in an archive, and unpacked, in bytes."""

    __slots__ = ("archived", "checksum", "type", "unpacked")

    def __init__(self, checksum: Checksum, archived: int, unpacked: int, type: ObjectType) -> None:
        self.checksum = checksum
        self.archived = archived
        self.unpacked = unpacked
        self.type = type

    def _key(self) -> tuple[str, int, int, ObjectType]:
        return (self.checksum, self.archived, self.unpacked, self.type)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectSize) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"ObjectSize{self._key()}"


def encode_varint(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data: bytes, start: int) -> tuple[int, int]:
    """The value at ``start`` and the offset behind it.

    Raises:
        FormatError: if the data ends first, or the value needs more than 64 bits.
    """
    value = 0
    for index in range(10):
        if start + index >= len(data):
            break
        byte = data[start + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80 and value < 1 << 64:
            return value, start + index + 1
    raise FormatError("Unexpected EOF reading ostree.sizes varint", offset=start)


def encode_entry(size: ObjectSize) -> bytes:
    """One element of the array."""
    return (
        size.checksum.digest
        + encode_varint(size.archived)
        + encode_varint(size.unpacked)
        + bytes((size.type,))
    )


def decode_entry(data: bytes) -> ObjectSize:
    """Parse one element; without a type byte, as old commits have it, it is a file.

    Raises:
        FormatError: if it is cut off or of unknown type.
    """
    if len(data) < 32:
        raise FormatError(f"Invalid checksum of length {len(data)} expected 32")
    archived, at = decode_varint(data, 32)
    unpacked, at = decode_varint(data, at)
    number = data[at] if at < len(data) else ObjectType.FILE
    if not 1 <= number <= 4:
        raise FormatError(f"Unexpected ostree.sizes object type {number}", offset=at)
    return ObjectSize(Checksum.of_digest(data[:32]), archived, unpacked, ObjectType(number))


def encode(sizes: list[ObjectSize]) -> list[bytes]:
    """All elements, sorted by checksum, each object once."""
    return [encode_entry(size) for size in sorted(set(sizes), key=lambda size: size.checksum)]
