"""Which of several repositories a ref is taken from: rules only, no disk and no network (§8.2)."""

from __future__ import annotations

from functools import cmp_to_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostree.transfer.finders.finder import CollectionRef, Offer
    from ostree.types import Checksum


class Claim:
    """What an offer says about a ref.

    Attributes:
        commit: Where it points to.
        timestamp: When that commit was made, in seconds since the epoch.
    """

    __slots__ = ("commit", "timestamp")

    def __init__(self, commit: Checksum, timestamp: int) -> None:
        self.commit = commit
        self.timestamp = timestamp


class Result:
    """An offer that has the newest commit of at least one ref.

    Attributes:
        offer: The offer.
        commits: For each ref that was asked for the commit to pull from here; None for none.
    """

    __slots__ = ("commits", "offer")

    def __init__(self, offer: Offer, commits: dict[CollectionRef, Checksum | None]) -> None:
        self.offer = offer
        self.commits = commits

    @property
    def count(self) -> int:
        """How many refs it has."""
        return sum(commit is not None for commit in self.commits.values())


def rank(
    refs: Sequence[CollectionRef],
    claims: Sequence[tuple[Offer, Mapping[CollectionRef, Claim]]],
) -> list[Result]:
    """The offers worth pulling from, in the order in which to do so.

    Of each ref the newest commit wins, and only who has that one keeps the ref.  Upstream's order
    is by priority, then by the age of the summary, oldest first, and the number of refs.
    """
    newest: dict[CollectionRef, Claim] = {}
    for _offer, claimed in claims:
        for ref, claim in claimed.items():
            known = newest.get(ref)
            if known is None or known.timestamp < claim.timestamp:
                newest[ref] = claim
    results = []
    for offer, claimed in claims:
        commits: dict[CollectionRef, Checksum | None] = {}
        for ref in refs:
            own = claimed.get(ref)
            is_newest = own is not None and own.commit == newest[ref].commit
            commits[ref] = own.commit if own is not None and is_newest else None
        result = Result(offer, commits)
        if result.count:
            results.append(result)
    return sorted(results, key=cmp_to_key(_compare))


def found_in(results: Sequence[Result], ref: CollectionRef) -> bool:
    """Whether any of the results has a ref."""
    return any(result.commits.get(ref) is not None for result in results)


def _compare(one: Result, other: Result) -> int:
    if one.offer.finder.priority != other.offer.finder.priority:
        return one.offer.finder.priority - other.offer.finder.priority
    times = one.offer.summary.last_modified, other.offer.summary.last_modified
    if times[0] is not None and times[1] is not None and times[0] != times[1]:
        return times[0] - times[1]
    if one.count != other.count:
        return one.count - other.count
    return -1 if one.offer.name < other.offer.name else one.offer.name > other.offer.name
