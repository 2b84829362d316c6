"""Boot entries that are copied to the EFI system partition, and their names.

``ostree-GENERATION-NUMBER.conf``, with ``+LEFT`` or ``+LEFT-DONE`` before the dot where tries are
counted (Boot Loader Specification, "Boot counting").  All entries of one list have one generation; a
later one sorts above the earlier ones in systemd-boot's menu, as a higher number does in its
generation.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAME = re.compile(r"ostree-(\d{1,9})-(\d{1,9})(\+\d{1,9}(?:-\d{1,9})?)?\.conf", re.ASCII)


class MirroredEntry(NamedTuple):
    """A boot entry on the EFI system partition.

    Attributes:
        name: Of its file.
        text: The content of its file.
    """

    name: str
    text: str


class Mirroring(NamedTuple):
    """What makes the entries there those of a list.

    Attributes:
        new: What is to be written, in this order: with each of them the machine starts, and with
            the last one it starts the first deployment.
        obsolete: The names of files that are to go after that.
    """

    new: tuple[MirroredEntry, ...]
    obsolete: tuple[str, ...]


def is_mirrored_name(name: str) -> bool:
    """Whether a file among the boot entries is one of those."""
    return _NAME.fullmatch(name) is not None


def plan_mirroring(present: Iterable[MirroredEntry], wanted: Sequence[MirroredEntry]) -> Mirroring:
    """Decide what is to be written, and what is to go.

    What is there as a whole stays as it is, whatever the boot loader has made of its counters.

    Args:
        present: The entries there.
        wanted: Those of the list, in its order, with the names that they have in ``boot/loader``.
    """
    generations: dict[int, dict[int, MirroredEntry]] = {}
    for entry in present:
        match = _NAME.fullmatch(entry.name)
        if match is not None:
            generations.setdefault(int(match[1]), {})[int(match[2])] = entry
    latest = max(generations, default=0)
    texts = {len(wanted) - index: entry.text for index, entry in enumerate(wanted)}
    if {number: entry.text for number, entry in generations.get(latest, {}).items()} == texts:
        keep = latest
        new: tuple[MirroredEntry, ...] = ()
    else:
        keep = latest + 1
        named = (
            MirroredEntry(_name(keep, len(wanted) - index, entry.name), entry.text)
            for index, entry in enumerate(wanted)
        )
        new = tuple(reversed(tuple(named)))
    old = (entries.values() for generation, entries in generations.items() if generation != keep)
    return Mirroring(new, tuple(sorted(entry.name for entries in old for entry in entries)))


def _name(generation: int, number: int, original: str) -> str:
    """A name with the counters that the entry's file has in ``boot/loader``."""
    stem, plus, counters = original.removesuffix(".conf").rpartition("+")
    suffix = f"+{counters}" if plus and stem else ""
    return f"ostree-{generation}-{number}{suffix}.conf"
