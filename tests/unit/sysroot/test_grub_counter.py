"""What GRUB has counted, and setting it back."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.formats.grub_environment import change_variables, empty_block, read_variables
from ostree.sysroot import grub_counter
from ostree.sysroot.boot_counts import BootCounts
from support import interruptions

if TYPE_CHECKING:
    from pathlib import Path

LINK = "/ostree/boot.0/os/a/0"
NO_DISK = os.makedev(0, 33)


def write(path: Path, **variables: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(change_variables(empty_block(), variables))
    return path


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"boot_counter": "0", "boot_success": "0"}, False),
        ({"boot_counter": "2", "boot_success": "0"}, False),
        ({"boot_counter": "-1", "boot_success": "0"}, True),
        ({"boot_counter": "-3"}, True),
        ({"boot_counter": "-1", "boot_success": "1"}, False),
    ],
)
def test_a_fallback(variables: dict[str, str], expected: bool, tmp_path: Path) -> None:
    block = write(tmp_path / "grubenv", **variables)

    assert grub_counter.fell_back(str(block)) == expected


def test_a_good_boot_is_noted_in_place(tmp_path: Path) -> None:
    """By the same blocks of the disk, which are those that GRUB writes to."""
    block = write(tmp_path / "grubenv", saved_entry="x", boot_counter="-1", boot_success="0")
    before = block.stat()

    assert grub_counter.accept(str(block))

    assert read_variables(block.read_bytes()) == {"saved_entry": "x", "boot_success": "1"}
    assert (block.stat().st_ino, block.stat().st_size) == (before.st_ino, 1024)
    assert os.listdir(tmp_path) == ["grubenv"]


@pytest.mark.parametrize("error", [0, errno.EIO])
def test_whatever_call_it_dies_at_the_block_is_whole(error: int, tmp_path: Path) -> None:
    interruptions.require()
    before = {"boot_counter": "-1", "boot_success": "0"}
    block = write(tmp_path / "grubenv", **before)

    def act() -> bytes:
        grub_counter.accept(str(block))
        return b"done"

    whole = interruptions.interrupt(act, at=0)
    assert whole.report == b"done"
    assert whole.calls > 0
    for at in range(1, whole.calls + 1):
        write(block, **before)
        interruptions.interrupt(act, at=at, error=error)
        assert read_variables(block.read_bytes()) in (before, {"boot_success": "1"})
        assert grub_counter.accept(str(block))
        assert read_variables(block.read_bytes()) == {"boot_success": "1"}


def test_what_says_so_already_is_not_written(tmp_path: Path) -> None:
    block = write(tmp_path / "grubenv", boot_success="1")
    os.utime(block, (1, 1))

    assert grub_counter.accept(str(block))

    assert block.stat().st_mtime == 1


def test_a_block_that_nobody_counts_in_stays_as_it_is(tmp_path: Path) -> None:
    """That of a distribution without counting."""
    block = write(tmp_path / "grubenv", saved_entry="x")

    assert not grub_counter.accept(str(block))

    assert read_variables(block.read_bytes()) == {"saved_entry": "x"}


@pytest.mark.parametrize("damage", [bytes(1024), b"\xff" * 1024])
def test_a_damaged_block_is_made_anew(damage: bytes, tmp_path: Path) -> None:
    block = tmp_path / "grubenv"
    block.write_bytes(damage)

    assert not grub_counter.fell_back(str(block))
    assert grub_counter.accept(str(block))

    assert read_variables(block.read_bytes()) == {"boot_success": "1"}
    assert block.stat().st_size == 1024


@pytest.mark.parametrize("data", [b"", b"something else", bytes(1 << 17)])
def test_what_never_was_a_block_is_an_error(data: bytes, tmp_path: Path) -> None:
    block = tmp_path / "grubenv"
    block.write_bytes(data)

    for act in (grub_counter.fell_back, grub_counter.accept):
        with pytest.raises(OSTreeError, match=str(block)):
            act(str(block))
    assert block.read_bytes() == data


@pytest.mark.parametrize(
    "place", ["boot/grub", "boot/grub2", "boot/efi/EFI/ostree", "efi/EFI/fedora"]
)
def test_blocks_are_found(place: str, tmp_path: Path) -> None:
    block = write(tmp_path / place / "grubenv", boot_counter="-1", boot_success="0")
    counts = BootCounts(str(tmp_path), NO_DISK, str(tmp_path))

    assert counts.fell_back(LINK)
    assert counts.accept(LINK)

    assert read_variables(block.read_bytes()) == {"boot_success": "1"}
    assert not counts.fell_back(LINK)


def test_u_boots_count_is_set_back_beside_them(tmp_path: Path) -> None:
    state = tmp_path / "boot/firmware/bootstate.env"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"bootcount=2\n")
    counts = BootCounts(str(tmp_path), NO_DISK, str(tmp_path))

    assert not counts.fell_back(LINK)
    assert counts.accept(LINK)

    assert state.read_bytes() == b"bootcount=0\n"


def test_where_nothing_counts(tmp_path: Path) -> None:
    (tmp_path / "efi").mkdir()
    counts = BootCounts(str(tmp_path), NO_DISK, str(tmp_path))

    assert not counts.fell_back(LINK)
    assert not counts.accept(LINK)
