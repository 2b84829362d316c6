"""Streams of bsdiff for files that differ in few places, found by walking both (§4.5).

bsdiff finds what two files have in common wherever it is, for which it sorts all places of the old
one.  Most files of an update are as before but for a few edits; who goes through both side by
side finds these in a tenth of the time.  What is changed too much, or in a way that sorting may
understand better, is left to bsdiff.
"""

from __future__ import annotations

from ostree.formats.delta import bspatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    #: Bytes that are the same, bytes that are new behind them, and how far the place in the old file
    #: moves then.
    Step = tuple[int, int, int]

#: Bytes by which a place is looked for, and that have to be the same there.
_PIECE, _SAME = 16, 32
#: So many different bytes a piece has at least: what repeats itself is found in the wrong place.
_DISTINCT = 4
#: How much farther in the old file a place is looked for first, and then how far before and behind.
_NEAR, _FAR = 128, 1 << 16
#: More edits than these, or one for so many bytes of the file, are too many.
_EDITS, _BYTES_PER_EDIT = 8, 1 << 10
#: More new bytes than these, or one of so many, are too many; and these at one place, as what is
#: behind them is looked for again and again.
_NEW, _BYTES_PER_NEW, _NEW_AT_ONCE = 64, 32, 1 << 14
#: As many bytes that replace as many others cost less as differences than a step of their own.
_REPLACED = 12


def diff(old: bytes, new: bytes) -> bytes | None:
    """The stream that makes ``new`` from ``old``; None if they are not enough alike for that."""
    steps = _walk(old, new)
    return None if steps is None else _encode(old, new, steps)


def _walk(old: bytes, new: bytes) -> list[Step] | None:
    """How the new file follows from the old one, if that takes little."""
    steps: list[Step] = []
    most = _EDITS + len(new) // _BYTES_PER_EDIT
    room = _NEW + len(new) // _BYTES_PER_NEW
    at_old = at_new = 0
    while len(steps) < most:
        same = _common(old, at_old, new, at_new)
        at_old += same
        at_new += same
        place = _continuation(old, at_old, new, at_new, min(room, _NEW_AT_ONCE))
        if place is None:
            return None
        added = place[1] - at_new
        room -= added
        steps.append((same, added, place[0] - at_old))
        at_old, at_new = place
        if at_new == len(new):
            return steps
    return None


def _common(old: bytes, at_old: int, new: bytes, at_new: int) -> int:
    """How many bytes are the same from two places on."""
    limit = min(len(old) - at_old, len(new) - at_new)
    done, size = 0, 256
    while done < limit:
        size = min(size, limit - done)
        start_old, start_new = at_old + done, at_new + done
        if old[start_old : start_old + size] != new[start_new : start_new + size]:
            low, high = 0, size
            while high - low > 1:
                middle = (low + high) // 2
                if (
                    old[start_old + low : start_old + middle]
                    == (new[start_new + low : start_new + middle])
                ):
                    low = middle
                else:
                    high = middle
            return done + low
        done += size
        size = min(4 * size, _FAR)
    return limit


def _continuation(
    old: bytes, at_old: int, new: bytes, at_new: int, room: int
) -> tuple[int, int] | None:
    """Where both files go on to be the same, given where they cease to be so.

    Returns:
        The places in the old and in the new file, which has at most ``room`` bytes before that;
        None if there is none.
    """
    size = len(new)
    for at in range(at_new, min(at_new + room, size - _PIECE) + 1, _PIECE):
        piece = new[at : at + _PIECE]
        if len(set(piece)) < _DISTINCT:
            continue
        found = old.find(piece, at_old, at_old + at - at_new + _NEAR)
        if found < 0:
            found = old.find(piece, max(0, at_old - _FAR), at_old + _FAR)
        if found >= 0:
            back = 0
            most = min(at - at_new, found)
            while back < most and old[found - back - 1] == new[at - back - 1]:
                back += 1
            found, begin = found - back, at - back
            if old.startswith(new[begin : begin + _SAME], found):
                return found, begin
    # What is left may be all new.
    return (at_old, size) if size - at_new <= room else None


def _encode(old: bytes, new: bytes, steps: list[Step]) -> bytes:
    pieces: list[bytes] = []
    differences: list[bytes] = []
    at_old = at_new = same = 0
    for count, added, seek in steps:
        same += count
        at_old += count
        at_new += count
        differences.append(bytes(count))
        extra = new[at_new : at_new + added]
        if added == seek <= _REPLACED and at_new + added < len(new):
            replaced = old[at_old : at_old + seek]
            differences.append(bytes((a - b) & 0xFF for a, b in zip(extra, replaced, strict=True)))
            same += added
        else:
            pieces += map(bspatch.encode_number, (same, added, seek))
            pieces += (*differences, extra)
            differences, same = [], 0
        at_old += seek
        at_new += added
    return b"".join(pieces)
