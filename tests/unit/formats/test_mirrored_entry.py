"""Which entries are written to the EFI system partition, and which are to go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.formats.mirrored_entry import (
    MirroredEntry,
    Mirroring,
    is_mirrored_name,
    plan_mirroring,
)


def entries(**texts: str) -> list[MirroredEntry]:
    """Entries with names in which ``_`` stands for ``-`` and ``p`` for ``+``."""
    return [
        MirroredEntry(f"ostree-{name.strip('_').replace('_', '-').replace('p', '+')}.conf", text)
        for name, text in texts.items()
    ]


LIST = entries(_2p3="C", _1="A")


def test_the_first_ones() -> None:
    """The first deployment's comes last: with it, the machine starts something new."""
    assert plan_mirroring([], LIST) == Mirroring(tuple(entries(_1_1="A", _1_2p3="C")), ())


def test_those_of_another_list_are_replaced() -> None:
    plan = plan_mirroring(entries(_4_2p0_3="C", _4_1="A"), entries(_1="A"))

    assert plan == Mirroring(tuple(entries(_5_1="A")), ("ostree-4-1.conf", "ostree-4-2+0-3.conf"))


@pytest.mark.parametrize("name", ["_7_2p3", "_7_2p1_2", "_7_2p0_3", "_7_2"])
def test_what_the_boot_loader_has_counted_stays(name: str) -> None:
    present = entries(**{name: "C"}, _7_1="A")

    assert plan_mirroring(present, LIST) == Mirroring((), ())


def test_a_crash_before_the_old_ones_were_removed() -> None:
    present = entries(_7_2p3="C", _7_1="A", _6_2="A", _6_1="B")

    assert plan_mirroring(present, LIST) == Mirroring((), ("ostree-6-1.conf", "ostree-6-2.conf"))


def test_a_crash_before_the_new_ones_were_whole() -> None:
    present = entries(_7_1="A", _6_2="A", _6_1="B")

    plan = plan_mirroring(present, LIST)

    assert plan.new == tuple(entries(_8_1="A", _8_2p3="C"))
    assert plan.obsolete == ("ostree-6-1.conf", "ostree-6-2.conf", "ostree-7-1.conf")


def test_those_of_others_stay() -> None:
    present = [
        *entries(_2="upstream's", _1_1="A"),
        MirroredEntry("arch.conf", ""),
        MirroredEntry("ostree-2-os.conf", ""),
    ]

    assert plan_mirroring(present, entries(_1="new")).obsolete == ("ostree-1-1.conf",)


def test_no_deployments() -> None:
    assert plan_mirroring([], []) == Mirroring((), ())
    assert plan_mirroring(entries(_1_1="A"), []) == Mirroring((), ("ostree-1-1.conf",))


@pytest.mark.parametrize("name", ["ostree-1-2.conf", "ostree-10-2+3.conf", "ostree-10-2+0-3.conf"])
def test_names(name: str) -> None:
    assert is_mirrored_name(name)


@pytest.mark.parametrize(
    "name", ["ostree-1.conf", "ostree-1+3.conf", "ostree-1-os.conf", "ostree-1-2.conf.new", "x"]
)
def test_other_names(name: str) -> None:
    assert not is_mirrored_name(name)


def start_order(names: list[str]) -> list[str]:
    """As systemd-boot has them: those without tries last, else higher numbers first."""

    def key(name: str) -> tuple[bool, list[int]]:
        stem, _, counters = name.removesuffix(".conf").partition("+")
        return not counters.startswith("0"), [int(word) for word in stem.split("-")[1:]]

    return sorted(names, key=key, reverse=True)


TEXTS = st.lists(st.sampled_from("ABC"), min_size=1, max_size=3, unique=True)


@given(TEXTS, TEXTS, st.integers(0, 9))
def test_whatever_it_is_interrupted_at_the_machine_starts_the_old_or_the_new_first_one(
    old: list[str], new: list[str], stop: int
) -> None:
    """Or another one of the new list, while that is being written; and the next one finishes."""
    present = {e.name: e.text for e in plan_mirroring([], named(old)).new}
    plan = plan_mirroring([MirroredEntry(*item) for item in present.items()], named(new))
    steps: list[MirroredEntry | str] = [*plan.new, *plan.obsolete]
    for step in steps[:stop]:
        if isinstance(step, MirroredEntry):
            present[step.name] = step.text
        else:
            del present[step]

    first = present[start_order(list(present))[0]]
    assert first in {old[0], *new}
    if stop >= len(plan.new):
        assert first == new[0]
    again = plan_mirroring([MirroredEntry(*item) for item in present.items()], named(new))
    present.update({e.name: e.text for e in again.new})
    for name in again.obsolete:
        del present[name]
    assert [present[name] for name in start_order(list(present))] == new


def named(texts: list[str]) -> list[MirroredEntry]:
    return [MirroredEntry(f"ostree-{len(texts) - i}.conf", text) for i, text in enumerate(texts)]
