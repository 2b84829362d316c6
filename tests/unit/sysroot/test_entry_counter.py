"""Tries that are counted in the names of boot entries, and setting them back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.sysroot import entry_counter
from ostree.sysroot.boot_counts import BootCounts

if TYPE_CHECKING:
    from pathlib import Path

LINK = "/ostree/boot.1/os/abc/0"
NO_DISK = os.makedev(0, 33)


def write(directory: Path, **links: str) -> list[str]:
    """Entries whose names have ``p`` for ``+``; gives all names."""
    entries = directory / "loader/entries"
    entries.mkdir(parents=True, exist_ok=True)
    for name, link in links.items():
        file = name.replace("_", "-").replace("p", "+")
        (entries / f"ostree{file}.conf").write_text(f"options quiet ostree={link}\n")
    return names(directory)


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory / "loader/entries"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("_1_2p0_3", True), ("_1_2p1_2", False), ("_1_2p3", False), ("_1_2", False), ("_2p0_1", True)],
)
def test_an_entry_without_tries(name: str, expected: bool, tmp_path: Path) -> None:
    write(tmp_path, **{name: LINK}, _1_1p0_3="/ostree/boot.1/os/abc/1")

    assert entry_counter.is_exhausted(str(tmp_path), LINK) == expected


def test_a_good_boot_takes_the_counters_off(tmp_path: Path) -> None:
    write(tmp_path, _4_2p1_2=LINK, _4_1p3="/ostree/boot.1/os/abc/1")
    (tmp_path / "loader/entries/ostree-other.conf").write_bytes(b"\xff options")

    assert entry_counter.accept(str(tmp_path), LINK)

    assert names(tmp_path) == ["ostree-4-1+3.conf", "ostree-4-2.conf", "ostree-other.conf"]
    assert entry_counter.accept(str(tmp_path), LINK)


def test_where_nothing_is_counted(tmp_path: Path) -> None:
    assert not entry_counter.accept(str(tmp_path), LINK)
    assert not entry_counter.is_exhausted(str(tmp_path), LINK)
    write(tmp_path, _1=LINK)
    assert not entry_counter.accept(str(tmp_path), LINK)


def test_entries_of_boot_and_their_copies_go_together(tmp_path: Path) -> None:
    write(tmp_path / "boot", _2p2=LINK)
    write(tmp_path / "boot/efi", _9_2p0_2=LINK)
    counts = BootCounts(str(tmp_path), NO_DISK, str(tmp_path))

    assert counts.fell_back(LINK)
    assert counts.accept(LINK)

    assert names(tmp_path / "boot") == ["ostree-2.conf"]
    assert names(tmp_path / "boot/efi") == ["ostree-9-2.conf"]
    assert not counts.fell_back(LINK)
