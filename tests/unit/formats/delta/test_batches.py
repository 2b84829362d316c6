"""Where byte codes can be cut: only between objects that owe nothing to each other."""

from __future__ import annotations

import pytest

from ostree.formats.delta import operation
from ostree.formats.delta.batches import Batch, cut

S, O, W, R, U, C, B = (  # noqa: E741 - as the format calls them
    operation.OPEN_SPLICE_AND_CLOSE,
    operation.OPEN,
    operation.WRITE,
    operation.SET_READ_SOURCE,
    operation.UNSET_READ_SOURCE,
    operation.CLOSE,
    operation.BSPATCH,
)
Code = tuple[int, ...]

TREE: list[Code] = [(S, 300, 0)]
WHOLE: list[Code] = [(S, 0, 0, 1 << 40, 300)]
PATCHED: list[Code] = [(R, 400), (O, 1, 0, 70_000), (B, 432, 90), (C,), (U,)]
ROLLED: list[Code] = [(O, 0, 0, 999), (W, 9, 0), (R, 600), (W, 900, 50), (U,), (W, 90, 7), (C,)]
OPEN_SOURCE: list[Code] = [(R, 600), (S, 0, 0, 5, 5)]


def code(*objects: list[Code]) -> bytes:
    return b"".join(operation.encode(*each) for operations in objects for each in operations)


def test_metadata_and_files_are_told_apart() -> None:
    objects = [TREE, TREE, WHOLE, PATCHED, ROLLED, TREE, PATCHED]
    # What sends reads back to the data is taken for the beginning of the next object.
    starts = [len(code(*objects[:count])) for count in range(7)]
    starts[4] -= 1

    found = cut(code(*objects), [each is TREE for each in objects], 2)

    assert found == (
        [Batch(starts[0], 0, 2), Batch(starts[5], 5, 6)],
        [Batch(starts[2], 2, 4), Batch(starts[4], 4, 5), Batch(starts[6], 6, 7)],
    )


@pytest.mark.parametrize(
    ("operations", "count"),
    [
        (code(WHOLE, WHOLE), 1),
        (code(WHOLE), 2),
        (code(WHOLE)[:-1], 1),
        (code(WHOLE, PATCHED[:3]), 2),
        (code(OPEN_SOURCE, WHOLE), 2),
        (code(WHOLE, [(U,), (U,)]), 1),
        (code(WHOLE) + b"x", 1),
        (b"S\0\0" + b"\x80" * 10 + b"\0\0", 1),
        (b"o\0\0\0" + b"R" * 200_000 + b"c", 1),
        (b"o\0\0\0" + b"w\0\0" * 100_000, 1),
    ],
    ids=[
        "more than the objects",
        "fewer",
        "cut off",
        "an object that does not end",
        "a source for the next object",
        "something behind the last",
        "no operation",
        "a number that is too long",
        "very many operations",
        "very many without an end",
    ],
)
def test_what_is_not_cut(operations: bytes, count: int) -> None:
    assert cut(operations, [False] * count, 4) is None


def test_nothing_is_cut_into_nothing() -> None:
    assert cut(b"", [], 4) == ([], [])
