"""Digests by the million: the bag holds what a set would."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ostree.repo import digest_bag
from ostree.repo.digest_bag import DigestBag

# Few different ones, so that some come twice.
digests = st.integers(0, 40).map(lambda number: hashlib.sha256(b"%d" % number).digest())


def everything(bag: DigestBag) -> set[bytes]:
    return {digest for number in range(256) for digest in bag.heap(number)}


@given(st.lists(st.lists(digests)))
def test_it_holds_what_was_added(batches: list[list[bytes]]) -> None:
    bag = DigestBag()
    expected = set()

    for batch in batches:
        bag.add(batch)
        expected.update(batch)

    assert everything(bag) == expected
    assert len(bag) == len(expected)
    assert all(digest in bag for digest in expected)
    assert bytes(32) not in bag


def test_duplicates_do_not_pile_up() -> None:
    """What many directories share is kept once, however often it is added."""
    bag = DigestBag()
    shared = [hashlib.sha256(b"%d" % number).digest() for number in range(1000)]

    for _ in range(digest_bag._MIN_PENDING // len(shared) * 3):
        bag.add(shared)

    held = sum(map(len, bag._heaps)) // 32
    assert held < digest_bag._MIN_PENDING + 2 * len(shared)
    assert len(bag) == len(shared)
