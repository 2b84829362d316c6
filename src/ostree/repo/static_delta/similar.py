"""Which old file each new one resembles: a pure decision (static deltas §6.2)."""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ostree.types import Checksum

#: How far sizes may differ, in percent of the new file's.
_WINDOW = 30
#: What has these extensions is compressed, and differs everywhere once it differs at all.
_COMPRESSED = frozenset(("xz", "bz2"))


class Candidate:
    """A regular file that may resemble another.

    Attributes:
        checksum: Its name.
        size: Bytes of its content.
        names: What it is called, without directories, wherever it is.
    """

    __slots__ = ("checksum", "names", "size")

    def __init__(self, checksum: Checksum, size: int, names: Iterable[str]) -> None:
        self.checksum = checksum
        self.size = size
        self.names = list(names)


def may_resemble(
    new: Mapping[Checksum, set[str]], old: Mapping[Checksum, set[str]]
) -> list[Checksum]:
    """The old files that share a name, or the beginning of one, with a new file.

    Only of these the size matters, which has to be read from each object.
    """
    names = {name for names in new.values() for name in names}
    stems = {_stem(name) for name in names} - {""}
    return [
        checksum
        for checksum, called in old.items()
        if not names.isdisjoint(called) or not stems.isdisjoint(map(_stem, called))
    ]


def pair(new: Sequence[Candidate], old: Sequence[Candidate]) -> dict[Checksum, Checksum]:
    """The partner of each new file that has one; at most one each.

    The smallest old file in the window that has a name in common with the new one; if there is
    none, the smallest whose name begins in the same way up to the first dot.
    """
    candidates = [file for file in old if _is_candidate(file)]
    candidates.sort(key=lambda file: file.size)
    by_name = _index(candidates, lambda name: name)
    by_stem = _index(candidates, _stem)
    partners = {}
    for file in new:
        if _is_candidate(file):
            found = _smallest(file, by_name, lambda name: name)
            if found is None:
                found = _smallest(file, by_stem, _stem)
            if found is not None:
                partners[file.checksum] = candidates[found].checksum
    return partners


def _is_candidate(file: Candidate) -> bool:
    return file.size > 0 and all(_extension(name) not in _COMPRESSED for name in file.names)


def _index(
    candidates: Sequence[Candidate], key: Callable[[str], str]
) -> dict[str, tuple[list[int], list[int]]]:
    """By a key of the name: sizes, ascending, and the places of the files that have them."""
    found: dict[str, tuple[list[int], list[int]]] = {}
    for place, file in enumerate(candidates):
        for each in {key(name) for name in file.names} - {""}:
            sizes, places = found.setdefault(each, ([], []))
            sizes.append(file.size)
            places.append(place)
    return found


def _smallest(
    file: Candidate,
    index: Mapping[str, tuple[list[int], list[int]]],
    key: Callable[[str], str],
) -> int | None:
    """The place of the smallest file in the window under one of the keys."""
    least = file.size * (100 - _WINDOW) // 100
    most = file.size * (100 + _WINDOW) // 100
    best: int | None = None
    for each in {key(name) for name in file.names}:
        sizes, places = index.get(each, ((), ()))
        at = bisect_left(sizes, least)
        if at < len(sizes) and sizes[at] <= most and (best is None or places[at] < best):
            best = places[at]
    return best


def _extension(name: str) -> str:
    return name.rpartition(".")[2] if "." in name else ""


def _stem(name: str) -> str:
    """What precedes the first dot; empty if there is no dot."""
    stem, dot, _ = name.partition(".")
    return stem if dot else ""
