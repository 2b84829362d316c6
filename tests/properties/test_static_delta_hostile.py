"""Deltas that were tampered with: only our errors, no memory to speak of, no wrong object.

``tests/fuzz/hostile_deltas.py`` tries the same a million times, guided by coverage.
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.hostile_deltas import HostileDeltas

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileDeltas]:
    """One repository for all attacks."""
    hostile = HostileDeltas(tmp_path_factory.mktemp("hostile"))
    yield hostile
    hostile.close()
    assert hostile.stored > 0, "no attack got as far as storing an object"


@settings(max_examples=400, deadline=None)
@given(target=st.integers(0, 7), seed=st.integers(0, 255), data=st.binary(max_size=200))
def test_attacks_fail(hostile: HostileDeltas, target: int, seed: int, data: bytes) -> None:
    hostile.attack(bytes((target, seed)) + data)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1 << 20


def test_what_was_not_tampered_with_is_stored(hostile: HostileDeltas) -> None:
    """Else the attacks would prove nothing."""
    for target in (1, 4, 5):
        for seed in range(3):
            hostile.attack(bytes((target, seed)))

    before = hostile.stored
    hostile.sweep()

    assert hostile.stored > before
