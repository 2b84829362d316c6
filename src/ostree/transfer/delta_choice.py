"""Which static delta a pull takes: facts go in, a choice comes out (static deltas §9.1)."""

from __future__ import annotations

from ostree.formats.delta.name import DeltaName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ostree.types import Checksum

    #: The timestamp of a commit that is present and complete, None for all others.
    Age = Callable[[Checksum], int | None]

#: How many commits between are looked at to find a chain of two deltas.
_MOST_BETWEEN = 8


def choose_direct(known: Iterable[DeltaName], target: Checksum, age: Age) -> DeltaName | None:
    """The delta from the newest commit that is there with all it needs."""
    best: DeltaName | None = None
    newest = -1
    for name in known:
        if name.target == target and name.source is not None:
            timestamp = age(name.source)
            if timestamp is not None and timestamp > newest:
                best, newest = name, timestamp
    return best


def choose_scratch(
    known: Iterable[DeltaName], target: Checksum, *, ref_exists: bool
) -> DeltaName | None:
    """The delta from scratch, which who has some state of the ref is better off without."""
    scratch = DeltaName(None, target)
    return scratch if not ref_exists and scratch in known else None


def between(known: Iterable[DeltaName], target: Checksum) -> list[Checksum]:
    """Commits that are not there, but from which a delta leads to the target; not all of many."""
    found = [name.source for name in known if name.target == target and name.source is not None]
    return found[:_MOST_BETWEEN]


def chains(
    known: Iterable[DeltaName],
    first: Mapping[Checksum, Iterable[DeltaName]],
    target: Checksum,
    age: Age,
) -> list[tuple[DeltaName, DeltaName]]:
    """Pairs of deltas that lead to the target by way of a commit that is not there.

    Args:
        known: Deltas to the target.
        first: Deltas to each of the commits between.
        target: The commit that is wanted.
        age: As above.
    """
    found = []
    for middle in between(known, target):
        direct = choose_direct(first.get(middle, ()), middle, age)
        if direct is not None:
            found.append((direct, DeltaName(middle, target)))
    return found


def smallest(
    candidates: Iterable[tuple[Sequence[DeltaName], int]], limit: int | None
) -> Sequence[DeltaName]:
    """The candidate with the fewest bytes to transfer; none if loose objects take fewer.

    Args:
        candidates: Deltas to apply one after the other, with the bytes of all of them; of equal
            ones the first.
        limit: What the objects take by themselves, if that is known.
    """
    best: Sequence[DeltaName] = ()
    size = limit
    for names, needed in candidates:
        if size is None or needed < size:
            best, size = names, needed
    return best
