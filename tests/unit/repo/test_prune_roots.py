"""Which commits a prune starts from."""

from __future__ import annotations

import pytest

from ostree.repo.prune_roots import Keep, choose_roots, referrer_of
from ostree.types import Checksum

#: A line of five commits, the oldest first; number N was made at N.
LINE = [Checksum(f"{number:064x}") for number in range(5)]
REFS = {"main": LINE[4], "old": LINE[1], "origin:main": LINE[3], "bad": "nonsense"}
MIRRORED = {("org.example.C", "main"): LINE[2]}


def history(commit: Checksum) -> tuple[int, Checksum | None] | None:
    number = LINE.index(commit)
    return number, LINE[number - 1] if number else None


def roots(policy: Keep) -> list[tuple[int, int]]:
    found = choose_roots(policy, REFS, MIRRORED.items(), LINE, history)
    return [(LINE.index(commit), depth) for commit, depth in found]


def test_every_commit_keeps_itself_unless_refs_decide() -> None:
    found = roots(Keep(refs_only=False, depth=7))

    assert found == [(0, 7), (1, 7), (2, 7), (3, 7), (4, 7)]


def test_refs_of_all_kinds_keep_commits_and_nonsense_keeps_nothing() -> None:
    found = roots(Keep(refs_only=True, depth=2))

    assert found == [(4, 2), (1, 2), (3, 2), (2, 2)]


@pytest.mark.parametrize(
    "policy",
    [
        Keep(refs_only=False, retain={"other": 1}),
        Keep(refs_only=False, retain={"other": 0}),
        Keep(refs_only=False, only_branches=["main"]),
        Keep(refs_only=False, younger_than=0),
    ],
)
def test_every_finer_rule_implies_that_refs_decide(policy: Keep) -> None:
    assert policy.refs_only


def test_a_number_of_its_own_goes_before_the_general_one() -> None:
    found = roots(Keep(depth=0, retain={"main": 3, "origin:main": -1}))

    assert found == [(4, 3), (1, 0), (3, -1), (2, 0)]


def test_a_number_of_zero_counts_as_not_given() -> None:
    found = roots(Keep(depth=5, retain={"main": 0}))

    assert found[0] == (4, 5)


def test_branches_that_are_not_named_keep_all_of_their_history() -> None:
    """Mirrored refs have no name on the command line, so theirs stays, too."""
    found = roots(Keep(depth=0, only_branches=["main"], retain={"old": 2}))

    assert found == [(4, 0), (1, 2), (3, -1), (2, -1)]


def test_age_decides_up_to_the_first_commit_that_is_too_old() -> None:
    found = roots(Keep(younger_than=3))

    assert found == [(4, 0), (3, 0), (1, 0), (3, 0), (2, 0)]


def test_a_commit_of_just_that_time_is_not_too_old() -> None:
    found = roots(Keep(younger_than=2, only_branches=["main"]))

    assert found[:3] == [(4, 0), (3, 0), (2, 0)]


def test_a_head_that_is_too_old_ends_the_line() -> None:
    """Although what is before it claims to be younger."""

    def odd(commit: Checksum) -> tuple[int, Checksum | None] | None:
        return 9 - LINE.index(commit), LINE[LINE.index(commit) - 1]

    found = choose_roots(Keep(younger_than=7), {"main": LINE[4]}, (), LINE, odd)

    assert list(found) == [(LINE[4], 0)]


def test_a_missing_commit_ends_the_line() -> None:
    def short(commit: Checksum) -> tuple[int, Checksum | None] | None:
        return None if commit == LINE[3] else history(commit)

    found = choose_roots(Keep(younger_than=0), {"main": LINE[4]}, (), LINE, short)

    assert list(found) == [(LINE[4], 0)]


def test_a_circle_of_parents_ends() -> None:
    """No honest repository has one; a damaged one might."""

    def circle(commit: Checksum) -> tuple[int, Checksum | None]:
        return 1, LINE[0] if commit == LINE[1] else LINE[1]

    found = choose_roots(Keep(younger_than=0), {"main": LINE[0]}, (), LINE, circle)

    assert list(found) == [(LINE[0], 0), (LINE[1], 0)]


@pytest.mark.parametrize(
    ("number", "name"),
    [(4, "'main'"), (3, "'origin:main'"), (2, "(org.example.C, main)"), (0, None)],
)
def test_the_ref_to_a_commit_is_named_as_messages_have_it(number: int, name: str | None) -> None:
    assert referrer_of(LINE[number], REFS, MIRRORED.items()) == name
