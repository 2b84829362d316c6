"""Content-defined chunks: the fast form against the definition, byte by byte."""

from __future__ import annotations

import hashlib
import random

import pytest

from ostree.formats.delta.rollsum import MAX_CHUNK, Match, chunks, match

VECTOR = b"".join(hashlib.sha256(str(index).encode()).digest() for index in range(8192))
#: What the reference makes of it (static deltas §5.3).
VECTOR_SIZES = (
    "6404 7133 2557 9348 5746 398 13953 570 2416 4342 20045 12275 5329 364 2621 2999 14404 13975 "
    "2467 796 32768 2668 4565 9632 3668 10792 6529 3337 9829 4748 13225 12743 1562 8265 1660 8011"
)


def by_definition(data: bytes) -> list[tuple[int, int]]:
    """The rolling sum as the format describes it (§5.1)."""
    found = []
    start = 0
    while (end := first_boundary(data, start)) is not None:
        end = min(end, start + MAX_CHUNK)
        found.append((start, end - start))
        start = end
    found += [(at, min(MAX_CHUNK, len(data) - at)) for at in range(start, len(data), MAX_CHUNK)]
    return found


def first_boundary(data: bytes, start: int) -> int | None:
    window = [0] * 64
    first, second = 64 * 31, 64 * 63 * 31
    for at in range(start, len(data)):
        enters, leaves = data[at], window[at % 64]
        window[at % 64] = enters
        first = (first + enters - leaves) % (1 << 32)
        second = (second + first - 64 * (leaves + 31)) % (1 << 32)
        if second % 8192 == 8191:
            return at + 1
    return None


def test_the_references_vector() -> None:
    assert [size for _, size in chunks(VECTOR)] == [int(size) for size in VECTOR_SIZES.split()]


@pytest.mark.parametrize("size", [0, 1, 2, 63, 64, 65, 128, 1000, 65535, 65536, 65600, 140000])
@pytest.mark.parametrize("alphabet", [bytes(range(256)), b"ab\0", b"\xff", b"\0"])
def test_chunks_are_those_of_the_definition(size: int, alphabet: bytes) -> None:
    """At the edges of window and block, and where sums are as large as they can be."""
    rng = random.Random(size)
    data = bytes(rng.choice(alphabet) for _ in range(size))

    assert chunks(data) == by_definition(data)


def test_boundaries_within_the_first_window() -> None:
    """A chunk may end before it fills the window, and the sum begins anew behind it."""
    found = None
    rng = random.Random(1)
    while found is None:
        data = rng.randbytes(60) + bytes(200)
        if chunks(data)[0][1] < 60:
            found = data

    assert chunks(found) == by_definition(found)


def test_one_changed_byte_costs_one_chunk() -> None:
    changed = bytearray(VECTOR)
    changed[100000] ^= 1

    found = match(VECTOR, bytes(changed))

    assert found is not None
    assert (found.keys, len(found.matches), found.chunks, found.size) == (36, 35, 36, 247740)
    assert found.matches[:2] == [Match(0, 6404, 0), Match(6404, 7133, 6404)]


def test_a_changed_first_byte_prevents_all_matches() -> None:
    assert match(VECTOR, b"x" + VECTOR[1:]) is None


def test_moved_pieces_are_found() -> None:
    """A match may come from another offset, as long as the beginnings are the same."""
    new = VECTOR[:60000] + VECTOR[90000:]

    found = match(VECTOR, new)

    assert found is not None
    assert any(piece.offset != piece.source for piece in found.matches)
    for piece in found.matches:
        assert (
            new[piece.offset : piece.offset + piece.size]
            == VECTOR[piece.source : piece.source + piece.size]
        )


def test_less_than_half_is_not_enough() -> None:
    new = VECTOR[:40000] + random.Random(3).randbytes(200000)

    assert match(VECTOR, new) is None


def test_empty_files_match_nothing() -> None:
    assert match(b"", VECTOR) is None
    assert match(VECTOR, b"") is None
