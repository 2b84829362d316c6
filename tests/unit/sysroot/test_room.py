"""Room that is needed, free and freed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.sysroot.early_prune import BootSpace, Choice, choose, common_deployments
from ostree.sysroot.room import BOOT_RESERVE, Room, RoomCheck, in_blocks, tree_usage
from unit.sysroot.test_boot_plan import deployment

if TYPE_CHECKING:
    from pathlib import Path


def check(needed: Room, free: Room, freed: Room) -> str | None:
    return RoomCheck("/boot", needed, free, freed).problem


def test_bytes() -> None:
    assert check(Room(10, 1), Room(5, 9), Room(5, 0)) is None
    assert check(Room(11, 1), Room(5, 9), Room(5, 0)) == (
        "Not enough space in /boot: 11 bytes are needed, 5 bytes are free, a cleanup frees 5 bytes"
    )


def test_inodes() -> None:
    assert check(Room(0, 3), Room(0, 1), Room(0, 2)) is None
    assert check(Room(0, 4), Room(0, 1), Room(0, 2)) == (
        "Not enough inodes in /boot: 4 are needed, 1 are free, a cleanup frees 2"
    )
    assert check(Room(0, 4), Room(0, None), Room(0, 2)) is None


def test_blocks() -> None:
    assert in_blocks([0, 1, 4096, 4097], 4096) == 4 * 4096


def test_what_a_removal_frees(tmp_path: Path) -> None:
    """Not what has another name elsewhere, a sparse file hardly anything."""
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub/own").write_bytes(os.urandom(100_000))
    (tmp_path / "elsewhere").write_bytes(os.urandom(100_000))
    os.link(tmp_path / "elsewhere", tree / "shared")
    fd = os.open(tmp_path, os.O_RDONLY)

    usage = tree_usage("tree", fd)

    os.close(fd)
    assert usage.files == 3
    assert 100_000 <= usage.size < 150_000


@pytest.mark.parametrize(
    ("needed", "removable", "free", "choice"),
    [
        (0, 100, 0, Choice.ENOUGH),
        (50, 0, 50 + BOOT_RESERVE, Choice.ENOUGH),
        (50, 0, 49 + BOOT_RESERVE, Choice.HOPELESS),
        (50, 20, 30 + BOOT_RESERVE, Choice.PRUNE),
        (50, 20, 29 + BOOT_RESERVE, Choice.HOPELESS),
        (50, 50, 0, Choice.PRUNE),
    ],
)
def test_early_prune(needed: int, removable: int, free: int, choice: Choice) -> None:
    assert choose(BootSpace(needed, removable), lambda size: size <= free) is choice


def test_what_stays_in_an_early_prune() -> None:
    old, booted, new = deployment("a"), deployment("c"), deployment("d")
    old.bootcsum, new.bootcsum = "1" * 64, "2" * 64

    assert common_deployments([old, booted], [new, booted]) == [booted]
