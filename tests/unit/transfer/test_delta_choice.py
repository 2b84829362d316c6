"""The choice between deltas, without network and disk."""

from __future__ import annotations

from ostree.formats.delta.name import DeltaName
from ostree.transfer.delta_choice import (
    between,
    chains,
    choose_direct,
    choose_scratch,
    smallest,
)
from ostree.types import Checksum

OLD, OLDER, MIDDLE, TARGET = (Checksum(letter * 64) for letter in "abcd")


def age(**present: int) -> dict[Checksum, int]:
    names = {"old": OLD, "older": OLDER, "middle": MIDDLE}
    return {names[name]: timestamp for name, timestamp in present.items()}


def test_the_newest_commit_that_is_there_is_the_source() -> None:
    known = [DeltaName(OLDER, TARGET), DeltaName(OLD, TARGET), DeltaName(MIDDLE, TARGET)]

    assert choose_direct(known, TARGET, age(old=20, older=10).get) == DeltaName(OLD, TARGET)
    assert choose_direct(known, TARGET, age(older=10).get) == DeltaName(OLDER, TARGET)
    assert choose_direct(known, TARGET, age().get) is None


def test_a_commit_of_the_epoch_can_be_the_source() -> None:
    known = [DeltaName(OLD, TARGET)]

    assert choose_direct(known, TARGET, age(old=0).get) == DeltaName(OLD, TARGET)


def test_deltas_to_other_commits_do_not_count() -> None:
    assert choose_direct([DeltaName(OLD, MIDDLE)], TARGET, age(old=1).get) is None


def test_from_scratch_only_without_any_state_of_the_ref() -> None:
    known = [DeltaName(None, TARGET)]

    assert choose_scratch(known, TARGET, ref_exists=False) == DeltaName(None, TARGET)
    assert choose_scratch(known, TARGET, ref_exists=True) is None
    assert choose_scratch([DeltaName(OLD, TARGET)], TARGET, ref_exists=False) is None


def test_a_chain_leads_by_way_of_a_commit_that_is_not_there() -> None:
    known = [DeltaName(MIDDLE, TARGET), DeltaName(OLDER, TARGET), DeltaName(None, TARGET)]
    first = {MIDDLE: [DeltaName(OLD, MIDDLE)], OLDER: [DeltaName(None, OLDER)]}

    found = chains(known, first, TARGET, age(old=1).get)

    assert between(known, TARGET) == [MIDDLE, OLDER]
    assert found == [(DeltaName(OLD, MIDDLE), DeltaName(MIDDLE, TARGET))]


def test_not_all_of_many_commits_between_are_asked_about() -> None:
    known = [DeltaName(Checksum(f"{number:064x}"), TARGET) for number in range(100)]

    assert len(between(known, TARGET)) == 8


def test_the_smallest_wins_and_objects_if_they_are_smaller_still() -> None:
    scratch, chain = [DeltaName(None, TARGET)], [DeltaName(OLD, MIDDLE), DeltaName(MIDDLE, TARGET)]
    candidates = [(scratch, 100), (chain, 50)]

    assert smallest(candidates, None) == chain
    assert smallest(candidates, 70) == chain
    assert smallest(candidates, 50) == ()
    assert smallest([(scratch, 10), (chain, 10)], None) == scratch
    assert smallest([], None) == ()
