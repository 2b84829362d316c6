"""What was changed in /etc on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.sysroot.etc_conflicts import (
    EtcConflict,
    EtcSides,
    describe_conflicts,
    find_conflicts,
)
from unit.sysroot.test_etc_diff import directory, file, link

if TYPE_CHECKING:
    from ostree.sysroot.etc_diff import EtcNode


def conflicts(default: EtcNode, edited: EtcNode, offered: EtcNode) -> list[tuple[str, str, str]]:
    """Files of one size are taken for the same."""
    sides = EtcSides(
        default,
        edited,
        offered,
        same_local=lambda _path: True,
        same_default=lambda _path: True,
        same_edited=lambda _path: True,
    )
    found = find_conflicts(sides.changes(), sides)
    return [(conflict.path, conflict.local, conflict.vendor) for conflict in found]


@pytest.mark.parametrize(
    ("default", "edited", "offered", "expected"),
    [
        (file(1), file(2), file(3), ("modified", "modified")),
        (file(1), file(2), None, ("modified", "removed")),
        (file(1), link("x"), link("y"), ("modified", "modified")),
        (file(1), file(2), directory(), ("modified", "modified")),
        (file(1), file(1, mode=0o600), file(2), ("modified", "modified")),
        (file(1), None, file(2), ("removed", "modified")),
        (directory(a=file(1)), None, directory(a=file(2)), ("removed", "modified")),
        (directory(), None, directory(a=file(1)), ("removed", "modified")),
        (None, file(1), file(2), ("added", "added")),
        (None, file(1), directory(), ("added", "added")),
    ],
)
def test_both_sides_changed(
    default: EtcNode | None,
    edited: EtcNode | None,
    offered: EtcNode | None,
    expected: tuple[str, str],
) -> None:
    trees = (directory(**({} if x is None else {"x": x})) for x in (default, edited, offered))

    assert conflicts(*trees) == [("x", *expected)]


@pytest.mark.parametrize(
    ("default", "edited", "offered"),
    [
        (file(1), file(2), file(1)),
        (file(1), file(1), file(2)),
        (file(1), file(2), file(2)),
        (file(1), None, None),
        (file(1), None, file(1)),
        (directory(a=file(1)), None, directory(a=file(1))),
        (None, file(2), None),
        (None, file(2), file(2)),
        (None, directory(), directory(a=file())),
        (directory(), directory(0o700), directory(0o711)),
        (directory(), directory(0o700), None),
        (directory(), link("x"), directory()),
    ],
)
def test_one_side_or_both_alike(
    default: EtcNode | None, edited: EtcNode | None, offered: EtcNode | None
) -> None:
    trees = (directory(**({} if x is None else {"x": x})) for x in (default, edited, offered))

    assert conflicts(*trees) == []


def test_paths_are_sorted_and_compared_by_content_where_that_decides() -> None:
    asked: list[str] = []

    def differ(path: str) -> bool:
        asked.append(path)
        return False

    tree = directory(b=file(), d=directory(a=file()))
    sides = EtcSides(tree, tree, tree, same_local=differ, same_default=differ, same_edited=differ)

    found = find_conflicts(sides.changes(), sides)

    assert [conflict.path for conflict in found] == ["b", "d/a"]
    assert asked == ["b", "d/a", "b", "b", "d/a", "d/a"]


def test_the_report_names_some_and_counts_all() -> None:
    many = [EtcConflict(str(number), "modified", "modified") for number in range(7)]

    assert describe_conflicts([]) == ""
    assert describe_conflicts(many[:1]) == (
        "Changed in /etc here and in the new default, kept as here: 1 path: 0"
    )
    assert describe_conflicts(many) == (
        "Changed in /etc here and in the new default, kept as here: 7 paths: "
        "0, 1, 2, 3, 4 and 2 more"
    )
