"""Objects that nothing needs: listed, and not touched."""

from __future__ import annotations

from ostree.events import StepProgress, ignore
from ostree.store.layout import PREFIXES
from ostree.store.payload_links import read_target
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.events import Listener
    from ostree.repo.reachability import Reachable
    from ostree.store.store import LooseStore

#: Characters of a checksum in the name of an object's file.
_STEM = 62
_LINK = ObjectType.PAYLOAD_LINK


class Unreachable:
    """What a repository has and nothing needs.

    Attributes:
        total: Objects that were looked at, the reachable ones included.
    """

    __slots__ = ("_stems", "total")

    def __init__(self, types: Sequence[ObjectType]) -> None:
        self.total = 0
        # There may be a million: their names, less the directory, one behind the other.
        self._stems: dict[ObjectType, list[str]] = {type: [] for type in types}

    def add_directory(self, stems: dict[ObjectType, list[str]]) -> None:
        """Put down those in the next directory."""
        for type, found in stems.items():
            self._stems[type].append("".join(found))

    def count(self, type: ObjectType) -> int:
        """How many there are of a type."""
        return sum(map(len, self._stems.get(type, ()))) // _STEM

    def of_type(self, type: ObjectType) -> Iterator[Checksum]:
        """Those of a type, directory by directory."""
        make = str.__new__
        for prefix, stems in zip(PREFIXES, self._stems.get(type, ()), strict=False):
            for at in range(0, len(stems), _STEM):
                yield make(Checksum, prefix + stems[at : at + _STEM])

    @property
    def types(self) -> Sequence[ObjectType]:
        """The types that were looked at."""
        return tuple(self._stems)


def find_unreachable(
    store: LooseStore,
    reachable: Reachable,
    types: Sequence[ObjectType],
    on_event: Listener | None = None,
) -> Unreachable:
    """Which of a store's own objects are not needed.

    Files whose names are none of an object are left out of account.

    Args:
        store: Whose objects.
        reachable: What is needed.
        types: The types to look at.  A payload link is needed while the file it leads to is;
            other types that no commit names are needed by nobody.
        on_event: Is told of directories that were read (``scan``).
    """
    emit = on_event or ignore
    suffixes = {f".{store.extension(type)}": type for type in types}
    result = Unreachable(types)
    links: list[list[str]] = []
    for number, (prefix, needed) in enumerate(
        zip(PREFIXES, reachable.by_directory(), strict=True), start=1
    ):
        keep = {type: {digest.hex()[2:] for digest in needed.get(type, ())} for type in types}
        doomed: dict[ObjectType, list[str]] = {type: [] for type in types}
        for name in store.objects.names(prefix):
            type = suffixes.get(name[_STEM:])
            if type is None:
                continue
            stem = name[:_STEM]
            if stem not in keep[type]:
                if not _is_hex(stem):
                    continue
                doomed[type].append(stem)
            result.total += 1
        links.append(doomed.pop(_LINK, []))
        result.add_directory(doomed)
        emit(StepProgress("scan", number, len(PREFIXES)))
    if _LINK in types:
        for found in _useless_links(store, reachable, links):
            result.add_directory({_LINK: found})
    return result


def _useless_links(
    store: LooseStore, reachable: Reachable, links: list[list[str]]
) -> list[list[str]]:
    """Those, by directory, that do not lead to a file that is needed."""
    targets: dict[str, bytes] = {}
    for prefix, stems in zip(PREFIXES, links, strict=True):
        for stem in stems:
            target = read_target(store.objects, Checksum(prefix + stem))
            if target is not None:
                targets[prefix + stem] = target.digest
    needed: set[bytes] = set()
    for first in {digest[0] for digest in targets.values()}:
        heap = reachable.files.heap(first)
        needed.update(digest for digest in targets.values() if digest in heap)
    return [
        [stem for stem in stems if targets.get(prefix + stem) not in needed]
        for prefix, stems in zip(PREFIXES, links, strict=True)
    ]


def _is_hex(text: str) -> bool:
    """Whether text has lower-case hex digits only; quicker than a look at each of them."""
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False
