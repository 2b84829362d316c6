"""The kernels of bsdiff, which the bsdiff4 library has in C; the only place that knows it."""

from __future__ import annotations

from struct import Struct

from ostree.errors import OSTreeError
from ostree.formats.delta import bspatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Buffer = bytes | memoryview

#: Bytes of the new file that are made at a time, and in how many steps at most.
_PIECE = 1 << 20
_MOST_STEPS = 1 << 14
#: Bytes of the old file that are read for that at most.
_MOST_OLD = 4 << 20
_ZERO = bytes(8)
_LENGTHS = Struct("<QQ")


class BsdiffMissingError(OSTreeError):
    """The library is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Static deltas with bsdiff need the Python library bsdiff4, which is not installed"
        )


def is_available() -> bool:
    """Whether the library is installed."""
    try:
        import bsdiff4.core  # noqa: F401 - only whether it is there
    except ImportError:
        return False
    return True


def diff(old: bytes, new: bytes) -> bytes:
    """The stream that makes ``new`` from ``old``; the interpreter's lock is free meanwhile.

    Raises:
        BsdiffMissingError: if the library is not installed.
    """
    try:
        from bsdiff4 import core
    except ImportError as error:
        raise BsdiffMissingError from error
    control, difference, extra = core.diff(old, new)
    return bspatch.join(control, difference, extra)


def patch(
    stream: Buffer, size: int, old_size: int, read_old: Callable[[int, int], bytes]
) -> Iterator[Buffer]:
    """The new file, in pieces, reading of the old one no more than is needed at a time.

    Args:
        stream: The patch.
        size: Bytes of the new file.
        old_size: Bytes of the old file; what the patch wants of it beyond counts as zeros.
        read_old: Gives so many bytes of the old file from an offset on; both are within it.

    Raises:
        FormatError: ``bsdiff patch failed``.
        BsdiffMissingError: if the library is not installed.
    """
    if old_size <= _PIECE and size <= _PIECE:
        whole = _patch_whole(stream, size, read_old(0, old_size))
        if whole is not None:
            yield whole
            return
    place = 0
    batch = _Batch(old_size, read_old)
    for triple in bspatch.read(stream, size):
        for difference in _split(triple.difference):
            if not batch.takes(place, len(difference)):
                yield batch.make()
            batch.add(place, difference)
            place += len(difference)
        for extra in _split(triple.extra):
            if not batch.takes(place, 0):
                yield batch.make()
            batch.insert(extra)
        place += triple.seek
    yield batch.make()


def _patch_whole(stream: Buffer, size: int, old: bytes) -> bytes | None:
    """The new file in one piece, which is quicker; None for all that is unusual."""
    try:
        from bsdiff4 import core
    except ImportError as error:
        raise BsdiffMissingError from error
    view = memoryview(stream)
    control: list[Buffer] = []
    differences: list[Buffer] = []
    extras: list[Buffer] = []
    at = made = 0
    while made < size and len(control) < _MOST_STEPS and at + bspatch.CONTROL <= len(view):
        x, y = _LENGTHS.unpack_from(view, at)
        start = at + bspatch.CONTROL
        made += x + y
        if made > size or start + x + y > len(view):
            return None
        control.append(view[at:start])
        differences.append(view[start : start + x])
        at = start + x + y
        extras.append(view[start + x : at])
    if made != size:
        return None
    try:
        whole: bytes = core.patch(
            old, size, b"".join(control), b"".join(differences), b"".join(extras)
        )
    except ValueError:  # a place beyond all numbers
        return None
    return whole


def _split(data: Buffer) -> Iterator[Buffer]:
    for at in range(0, len(data), _PIECE):
        yield data[at : at + _PIECE]


class _Batch:
    """Steps of a patch that are made together, as one call costs more than one step."""

    __slots__ = ("_end", "_old_size", "_read_old", "_size", "_start", "_steps")

    def __init__(self, old_size: int, read_old: Callable[[int, int], bytes]) -> None:
        self._old_size = old_size
        self._read_old = read_old
        self._clear()

    def _clear(self) -> None:
        #: (place in the old file, difference) or (-1, extra), in order.
        self._steps: list[tuple[int, Buffer]] = []
        self._size = 0
        self._start = self._end = -1

    def takes(self, place: int, count: int) -> bool:
        """Whether it may become larger by so many bytes, made from that place on."""
        if self._size >= _PIECE or len(self._steps) >= _MOST_STEPS:
            return False
        if self._start < 0 or not self._overlaps(place, count):
            return True
        first, last = self._within(place, count)
        return max(self._end, last) - min(self._start, first) <= _MOST_OLD

    def add(self, place: int, difference: Buffer) -> None:
        """Add bytes to those of the old file."""
        count = len(difference)
        self._size += count
        if not self._overlaps(place, count):
            self._steps.append((-1, difference))  # zeros are added
            return
        first, last = self._within(place, count)
        self._start = first if self._start < 0 else min(self._start, first)
        self._end = max(self._end, last)
        before, behind = first - place, last - place
        if before:
            self._steps.append((-1, difference[:before]))
        self._steps.append((first, difference[before:behind]))
        if behind < count:
            self._steps.append((-1, difference[behind:]))

    def insert(self, extra: Buffer) -> None:
        """Insert bytes."""
        self._size += len(extra)
        self._steps.append((-1, extra))

    def make(self) -> Buffer:
        """The new bytes; it is empty again then."""
        try:
            from bsdiff4 import core
        except ImportError as error:
            raise BsdiffMissingError from error
        steps, size, start = self._steps, self._size, max(0, self._start)
        old = self._read_old(start, self._end - start) if self._end > start else b""
        self._clear()
        control: list[bytes] = []
        at = start
        for place, data in steps:
            if place < 0:
                control += (_ZERO, bspatch.encode_number(len(data)), _ZERO)
            else:
                if place != at:
                    control += (_ZERO, _ZERO, bspatch.encode_number(place - at))
                control += (bspatch.encode_number(len(data)), _ZERO, _ZERO)
                at = place + len(data)
        made: bytes = core.patch(
            old,
            size,
            b"".join(control),
            b"".join(data for place, data in steps if place >= 0),
            b"".join(data for place, data in steps if place < 0),
        )
        return made

    def _overlaps(self, place: int, count: int) -> bool:
        return count > 0 and place < self._old_size and place + count > 0

    def _within(self, place: int, count: int) -> tuple[int, int]:
        """The part of a range that is in the old file."""
        return max(0, place), min(self._old_size, place + count)
