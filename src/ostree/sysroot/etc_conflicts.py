"""What of ``/etc`` was changed on both sides: here, and from one default to the next."""

from __future__ import annotations

from ostree.sysroot.etc_diff import diff_etc, is_same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.sysroot.etc_diff import EtcChanges, EtcNode, SameContent

_NAMED = 5


class EtcConflict:
    """A path with different changes on both sides; the local one wins in a merge.

    Attributes:
        path: Relative to ``etc``; of a directory that was removed here, the directory.
        local: ``modified``, ``removed`` or ``added``: what was done here.
        vendor: The same for the new default.
    """

    __slots__ = ("local", "path", "vendor")

    def __init__(self, path: str, local: str, vendor: str) -> None:
        self.path = path
        self.local = local
        self.vendor = vendor

    def __repr__(self) -> str:
        return f"<EtcConflict {self.path!r}: {self.local} here, {self.vendor} there>"


class EtcSides:
    """Three trees of configuration, and how to tell whether files in them are the same.

    Args:
        default: What the edited tree was made from.
        edited: The tree in use.
        offered: The new default.
        same_local: Compares a file of ``default`` with that of ``edited``.
        same_default: Compares a file of ``default`` with that of ``offered``.
        same_edited: Compares a file of ``edited`` with that of ``offered``.
    """

    __slots__ = ("default", "edited", "offered", "same_default", "same_edited", "same_local")

    def __init__(
        self,
        default: EtcNode,
        edited: EtcNode,
        offered: EtcNode,
        *,
        same_local: SameContent,
        same_default: SameContent,
        same_edited: SameContent,
    ) -> None:
        self.default = default
        self.edited = edited
        self.offered = offered
        self.same_local = same_local
        self.same_default = same_default
        self.same_edited = same_edited

    def changes(self) -> EtcChanges:
        """What was changed here."""
        return diff_etc(self.default, self.edited, self.same_local)


def find_conflicts(changes: EtcChanges, sides: EtcSides) -> list[EtcConflict]:
    """The changes that meet another change of the same path, sorted by path.

    Where both sides come to the same result there is no conflict, nor where a directory has
    different owners or permissions only.

    Args:
        changes: Of ``sides.edited`` compared with ``sides.default``.
        sides: The trees.
    """
    found = [*_modified(changes.modified, sides), *_removed(changes.removed, sides)]
    found.extend(_added(changes.added, sides))
    return sorted(found, key=lambda conflict: conflict.path)


def _modified(paths: Sequence[str], sides: EtcSides) -> Iterator[EtcConflict]:
    for path in paths:
        old, mine, new = (tree.find(path) for tree in (sides.default, sides.edited, sides.offered))
        if old is None or mine is None:
            continue
        if new is None:
            if not (old.is_directory and mine.is_directory):
                yield EtcConflict(path, "modified", "removed")
        elif old.is_directory and new.is_directory:
            continue
        elif not is_same(old, new, path, sides.same_default) and not is_same(
            mine, new, path, sides.same_edited
        ):
            yield EtcConflict(path, "modified", "modified")


def _removed(paths: Sequence[str], sides: EtcSides) -> Iterator[EtcConflict]:
    for path in paths:
        old, new = sides.default.find(path), sides.offered.find(path)
        if old is None or new is None:
            continue
        if not is_same(old, new, path, sides.same_default) or _differ_below(old, new, path, sides):
            yield EtcConflict(path, "removed", "modified")


def _differ_below(old: EtcNode, new: EtcNode, path: str, sides: EtcSides) -> bool:
    below = diff_etc(old, new, lambda name: sides.same_default(f"{path}/{name}"))
    return bool(below.modified or below.removed or below.added)


def _added(paths: Sequence[str], sides: EtcSides) -> Iterator[EtcConflict]:
    for path in paths:
        mine, new = sides.edited.find(path), sides.offered.find(path)
        if mine is None or new is None or (mine.is_directory and new.is_directory):
            continue
        if not is_same(mine, new, path, sides.same_edited):
            yield EtcConflict(path, "added", "added")


def describe_conflicts(conflicts: Sequence[EtcConflict]) -> str:
    """One line for somebody who deploys; empty if there is nothing to tell."""
    if not conflicts:
        return ""
    count = len(conflicts)
    names = ", ".join(conflict.path for conflict in conflicts[:_NAMED])
    rest = f" and {count - _NAMED} more" if count > _NAMED else ""
    what = "1 path" if count == 1 else f"{count} paths"
    return f"Changed in /etc here and in the new default, kept as here: {what}: {names}{rest}"
