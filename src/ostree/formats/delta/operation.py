"""The byte code of a part (static deltas §4.3, §4.4)."""

from __future__ import annotations

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Buffer = bytes | memoryview

OPEN_SPLICE_AND_CLOSE = 0x53
OPEN = 0x6F
WRITE = 0x77
SET_READ_SOURCE = 0x72
UNSET_READ_SOURCE = 0x52
CLOSE = 0x63
BSPATCH = 0x42

#: What upstream calls each, in messages.
NAMES = {
    OPEN_SPLICE_AND_CLOSE: "open-splice-and-close",
    OPEN: "open",
    WRITE: "write",
    SET_READ_SOURCE: "set-read-source",
    UNSET_READ_SOURCE: "unset-read-source",
    CLOSE: "close",
    BSPATCH: "bspatch",
}
#: How many operands each has, where that does not depend on the object.
_OPERANDS = {
    OPEN: 3,
    WRITE: 2,
    SET_READ_SOURCE: 1,
    UNSET_READ_SOURCE: 0,
    CLOSE: 0,
    BSPATCH: 2,
}
_LONGEST = 10


def encode_varint(value: int) -> bytes:
    """Unsigned LEB128, as short as possible."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(code: int, *operands: int) -> bytes:
    """One operation."""
    return bytes((code,)) + b"".join(map(encode_varint, operands))


class Reader:
    """Takes a byte code apart; how many operands a splice has depends on its object.

    Attributes:
        executed: How many operations were read.
    """

    __slots__ = ("_at", "_data", "executed")

    def __init__(self, data: Buffer) -> None:
        self._data = bytes(data)
        self._at = 0
        self.executed = 0

    def seek(self, offset: int) -> None:
        """Go on at an offset."""
        self._at = offset

    def next(self) -> int | None:
        """The code of the next operation, None at the end.

        Raises:
            FormatError: ``Unknown opcode N at offset K``, K being the number of operations before.
        """
        if self._at >= len(self._data):
            return None
        code = self._data[self._at]
        if code not in NAMES:
            raise FormatError(f"Unknown opcode {code} at offset {self.executed}", offset=self._at)
        self._at += 1
        self.executed += 1
        return code

    def operands(self, count: int) -> list[int]:
        """That many operands.

        Raises:
            FormatError: ``Unexpected EOF reading varint``.
        """
        data, at = self._data, self._at
        values = []
        for _ in range(count):
            value = shift = 0
            for byte in data[at : at + _LONGEST]:
                at += 1
                if byte < 0x80:
                    values.append(value | byte << shift)
                    break
                value |= (byte & 0x7F) << shift
                shift += 7
            else:
                raise FormatError("Unexpected EOF reading varint", offset=at)
        self._at = at
        return values


def operations(data: Buffer, splices: Iterator[int]) -> Iterator[tuple[int, list[int]]]:
    """Every operation with its operands.

    Args:
        data: The byte code.
        splices: How many operands the splice of each object has: 2 for metadata, 4 for files.

    Raises:
        FormatError: if it is damaged, or there is an operation for more objects than there are.
    """
    reader = Reader(data)
    while (code := reader.next()) is not None:
        if code in {OPEN_SPLICE_AND_CLOSE, CLOSE}:
            count = next(splices, None)
            if count is None:
                raise FormatError("More operations than objects in static delta part")
        yield code, reader.operands(_OPERANDS.get(code, 0) if code != 0x53 else count or 0)
