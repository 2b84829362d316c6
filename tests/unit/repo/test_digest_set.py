"""A set of digests is a set, and takes less memory than one."""

from __future__ import annotations

import tracemalloc
from hashlib import sha256
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from ostree.repo import digest_set
from ostree.repo.digest_set import DigestSet
from ostree.types import Checksum

#: Few values that come again, the one of zeros among them, and many others.
_digests = st.one_of(
    st.integers(0, 20).map(lambda number: number.to_bytes(32, "big")),
    st.binary(min_size=32, max_size=32),
)


@given(st.lists(_digests, max_size=60), st.integers(1, 8))
def test_it_is_a_set(digests: list[bytes], recent: int) -> None:
    known: set[bytes] = set()
    with (
        mock.patch.object(digest_set, "_MOST_RECENT", recent),
        mock.patch.object(digest_set, "_TABLES", 2),
        mock.patch.object(digest_set, "_SLOTS", 2),
    ):
        tested = DigestSet()
        for digest in digests:
            assert tested.add(Checksum.of_digest(digest)) == (digest not in known)
            known.add(digest)
            assert len(tested) == len(known)

        tested.update(Checksum.of_digest(digest) for digest in digests)

    assert len(tested) == len(known)


def test_very_many_take_little_memory() -> None:
    """A set of checksums would take 20 MB."""
    count = 100_000
    tracemalloc.start()
    try:
        tested = DigestSet()
        for number in range(count):
            tested.add(Checksum.of_digest(sha256(b"%d" % number).digest()))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(tested) == count
    # At most 85 bytes each, and those that came last as they came.
    assert used < 85 * count + 230 * (1 << 15)
