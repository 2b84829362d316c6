"""Which repository a ref is taken from."""

from __future__ import annotations

from ostree.formats.keyfile import KeyFile
from ostree.formats.summary import Summary, build
from ostree.repo.remotes import Remote
from ostree.transfer.finders.finder import Finder, Offer
from ostree.transfer.ranking import Claim, Result, found_in, rank
from ostree.types import Checksum

OLD, NEW = Checksum("0" * 64), Checksum("1" * 64)
MAIN, OTHER = ("org.example.C", "main"), ("org.example.C", "other")


def offer(name: str, *, priority: int = 100, modified: int | None = 5) -> Offer:
    """An offer with a summary of a certain age."""
    finder = Finder()
    finder.priority = priority
    if modified is None:
        summary = Summary([])
    else:
        summary = build([], mode="archive", last_modified=modified)
    return Offer(finder, name, Remote(name, KeyFile()), f"http://{name}", summary)


def names(results: list[Result]) -> list[str]:
    return [result.offer.name for result in results]


def test_of_each_ref_the_newest_commit_wins() -> None:
    claims = [
        (offer("stale"), {MAIN: Claim(OLD, 1), OTHER: Claim(OLD, 7)}),
        (offer("fresh"), {MAIN: Claim(NEW, 2)}),
        (offer("older"), {MAIN: Claim(OLD, 1)}),
    ]

    results = rank([MAIN, OTHER], claims)

    assert names(results) == ["fresh", "stale"]
    assert results[0].commits == {MAIN: NEW, OTHER: None}
    assert results[1].commits == {MAIN: None, OTHER: OLD}
    assert found_in(results, MAIN)
    assert not found_in(results, ("org.example.C", "nope"))


def test_priority_comes_first_then_the_age_of_the_summary_then_the_number_of_refs() -> None:
    claims = [
        (offer("b", modified=9), {MAIN: Claim(NEW, 2)}),
        (offer("a", modified=9), {MAIN: Claim(NEW, 2)}),
        (offer("many", modified=9), {MAIN: Claim(NEW, 2), OTHER: Claim(NEW, 2)}),
        (offer("early", modified=1), {MAIN: Claim(NEW, 2)}),
        (offer("stick", modified=99, priority=50), {MAIN: Claim(NEW, 2)}),
    ]

    assert names(rank([MAIN, OTHER], claims)) == ["stick", "early", "a", "b", "many"]


def test_a_summary_of_unknown_age_is_compared_by_what_is_known() -> None:
    claims = [
        (offer("b", modified=None), {MAIN: Claim(NEW, 2)}),
        (offer("a", modified=9), {MAIN: Claim(NEW, 2)}),
    ]

    assert names(rank([MAIN], claims)) == ["a", "b"]
