"""The bsdiff stream of OSTree: control, difference and extra bytes in turn (static deltas §4.5)."""

from __future__ import annotations

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Buffer = bytes | memoryview

#: Bytes of the three numbers that precede each pair of difference and extra bytes.
CONTROL = 24
_MOST = (1 << 31) - 1
_SIGN = 1 << 63


class Triple:
    """One step of a patch.

    Attributes:
        difference: Bytes to add to the old file's, from the current place in it on.
        extra: Bytes that follow.
        seek: How far the place in the old file moves then.
    """

    __slots__ = ("difference", "extra", "seek")

    def __init__(self, difference: Buffer, extra: Buffer, seek: int) -> None:
        self.difference = difference
        self.extra = extra
        self.seek = seek


def read(stream: Buffer, size: int) -> Iterator[Triple]:
    """Take a stream apart that makes a file of ``size`` bytes; what is left over is ignored.

    Raises:
        FormatError: ``bsdiff patch failed``, if it is cut off or makes more.
    """
    view = memoryview(stream)
    at = made = 0
    while made < size:
        if len(view) - at < CONTROL:
            raise _failed(at)
        x, y, seek = (_decode(view[at + i : at + i + 8]) for i in (0, 8, 16))
        at += CONTROL
        if not (0 <= x <= _MOST and 0 <= y <= _MOST and made + x + y <= size):
            raise _failed(at)
        if len(view) - at < x + y:
            raise _failed(at)
        yield Triple(view[at : at + x], view[at + x : at + x + y], seek)
        at += x + y
        made += x + y


def join(control: bytes, difference: bytes, extra: bytes) -> bytes:
    """The stream made of what bsdiff4's core gives: all numbers, all differences, all extras."""
    pieces: list[Buffer] = []
    differences, extras = memoryview(difference), memoryview(extra)
    at_difference = at_extra = 0
    for at in range(0, len(control), CONTROL):
        numbers = control[at : at + CONTROL]
        end_difference = at_difference + _decode(numbers[:8])
        end_extra = at_extra + _decode(numbers[8:16])
        pieces += (numbers, differences[at_difference:end_difference], extras[at_extra:end_extra])
        at_difference, at_extra = end_difference, end_extra
    return b"".join(pieces)


def encode_number(number: int) -> bytes:
    """Eight bytes: magnitude, little-endian, and a sign in the highest bit."""
    return (abs(number) | (_SIGN if number < 0 else 0)).to_bytes(8, "little")


def _decode(data: Buffer) -> int:
    number = int.from_bytes(data, "little")
    return -(number - _SIGN) if number & _SIGN else number


def _failed(at: int) -> FormatError:
    return FormatError("bsdiff patch failed", offset=at, field="bspatch")
