"""Differences between trees as text and as JSON."""

from __future__ import annotations

import stat

from ostree.cli.json_output import text_fields
from ostree.formats.size_text import format_size
from ostree.repo.diff import ChangeKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ostree.cli.json_output import Json
    from ostree.repo.diff import Change, EntryInfo, TreeEntry
    from ostree.repo.diff_sides import CommonObjects

#: The order of the listing.
ORDER = (ChangeKind.MODIFIED, ChangeKind.DELETED, ChangeKind.ADDED)

_TYPES = {stat.S_IFREG: "file", stat.S_IFLNK: "symlink", stat.S_IFDIR: "directory"}


class SizedChange:
    """A change with what is known about both sides."""

    __slots__ = ("change", "new", "old")

    def __init__(self, change: Change) -> None:
        self.change = change
        self.old = change.old.info() if change.old is not None else None
        self.new = change.new.info() if change.new is not None else None


class Totals:
    """Paths by what happened to them, and bytes of file content.

    Attributes:
        paths: How many paths for each kind of change.
        bytes_before: Bytes in the files concerned as they were.
        bytes_after: Bytes in the files concerned as they are.
    """

    __slots__ = ("bytes_after", "bytes_before", "paths")

    def __init__(self, changes: Iterable[SizedChange]) -> None:
        self.paths = dict.fromkeys(ORDER, 0)
        self.bytes_before = dict.fromkeys(ORDER, 0)
        self.bytes_after = dict.fromkeys(ORDER, 0)
        for sized in changes:
            kind = sized.change.kind
            self.paths[kind] += 1
            self.bytes_before[kind] += sized.old.size if sized.old is not None else 0
            self.bytes_after[kind] += sized.new.size if sized.new is not None else 0


def in_order(changes: Iterable[Change]) -> list[Change]:
    """All modified paths, then the deleted ones, then those added."""
    return sorted(changes, key=lambda change: ORDER.index(change.kind))


def sized_in_order(changes: Iterable[Change]) -> list[SizedChange]:
    """The same with sizes, which are looked up while the trees are open."""
    sized = [SizedChange(change) for change in changes]
    return sorted(sized, key=lambda sized: ORDER.index(sized.change.kind))


def change_line(change: Change) -> str:
    """A path with the letter of what happened to it."""
    return f"{change.kind.value}    {change.path}"


# with sizes -----------------------------------------------------------------------------------


def sized_lines(changes: Sequence[SizedChange]) -> Iterable[str]:
    """A line for each path, old size and new, and a summary."""
    width = max((len(sized.change.path) for sized in changes), default=0)
    for sized in changes:
        line = change_line(sized.change)
        # len() of the line counts characters, which for padding is as good as any guess.
        yield f"{line.ljust(width + 5)} | {_sizes(sized)}"
    totals = Totals(changes)
    modified, deleted, added = (totals.paths[kind] for kind in ORDER)
    yield (f"{_count(len(changes))}: {modified} modified, {deleted} deleted, {added} added")
    before, after = totals.bytes_before, totals.bytes_after
    yield (
        f"{format_size(before[ChangeKind.MODIFIED])} -> "
        f"{format_size(after[ChangeKind.MODIFIED])} in modified files, "
        f"{format_size(before[ChangeKind.DELETED])} in deleted, "
        f"{format_size(after[ChangeKind.ADDED])} in added"
    )


def _count(paths: int) -> str:
    return "1 path" if paths == 1 else f"{paths} paths"


def _sizes(sized: SizedChange) -> str:
    """``6 -> 9 bytes``, ``directory -> 12 bytes``; one word if both sides say the same."""
    old, new = sized.old, sized.new
    if old is None or new is None:
        info = old or new
        assert info is not None  # one of the sides is there
        return _size(info)
    if _type(old) == _type(new) == "file" and old.size != new.size:
        return f"{old.size} -> {_size(new)}"
    return _size(new) if _size(old) == _size(new) else f"{_size(old)} -> {_size(new)}"


def _size(info: EntryInfo) -> str:
    kind = _type(info)
    if kind != "file":
        return kind
    return "1 byte" if info.size == 1 else f"{info.size} bytes"


def _type(info: EntryInfo) -> str:
    return _TYPES.get(stat.S_IFMT(info.mode), "other")


# as JSON --------------------------------------------------------------------------------------


def changes_json(changes: Sequence[SizedChange]) -> dict[str, Json]:
    """All changes, and their sums."""
    totals = Totals(changes)
    return {
        "changes": [_change_json(sized) for sized in changes],
        "totals": {
            kind.name.lower(): {
                "paths": totals.paths[kind],
                "bytes_before": totals.bytes_before[kind],
                "bytes_after": totals.bytes_after[kind],
            }
            for kind in ORDER
        },
    }


def _change_json(sized: SizedChange) -> dict[str, Json]:
    change = sized.change
    return {
        "change": change.kind.name.lower(),
        **text_fields("path", change.path),
        "old": _side_json(change.old, sized.old),
        "new": _side_json(change.new, sized.new),
    }


def _side_json(entry: TreeEntry | None, info: EntryInfo | None) -> Json:
    if entry is None or info is None:
        return None
    kind = _type(info)
    fields: dict[str, Json] = {
        "type": kind,
        "mode": f"0{info.mode:o}",
        "uid": info.uid,
        "gid": info.gid,
    }
    if kind == "file":
        fields["size"] = info.size
    if kind == "symlink":
        fields |= text_fields("target", info.target)
    return fields


# objects in common ----------------------------------------------------------------------------


def common_text(common: CommonObjects) -> str:
    """What two commits have in common."""
    return (
        f"[A] Object Count: {common.old_objects}\n"
        f"[B] Object Count: {common.new_objects}\n"
        f"Common Object Count: {common.common_objects}\n"
        f"Common Object Size: {format_size(common.common_size)}\n"
    )


def common_json(common: CommonObjects) -> Json:
    """The same for programs."""
    return {
        "old": common.old_objects,
        "new": common.new_objects,
        "common": common.common_objects,
        "common_size": common.common_size,
    }
