"""GRUB's environment block, written by GRUB's own tool and by us, read by the other."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.formats.grub_environment import change_variables, empty_block, read_variables

if TYPE_CHECKING:
    from pathlib import Path

EDITOR = "grub-editenv"

pytestmark = pytest.mark.skipif(
    shutil.which(EDITOR) is None, reason="GRUB is not installed (Debian: grub-common)"
)

VALUES = {
    "boot_counter": "-2",
    "boot_success": "0",
    "saved_entry": "Os 1 (ostree:0)",
    "back": "a\\b\\\\",
    "hash": "1#",
    "empty": "",
}


def edit(path: Path, *words: str) -> str:
    done = subprocess.run([EDITOR, path, *words], check=True, capture_output=True, text=True)
    return done.stdout


def test_an_empty_one_is_the_same(tmp_path: Path) -> None:
    edit(tmp_path / "env", "create")

    assert (tmp_path / "env").read_bytes() == empty_block()


def test_what_it_writes_is_read(tmp_path: Path) -> None:
    edit(tmp_path / "env", "create")
    edit(tmp_path / "env", "set", *(f"{name}={value}" for name, value in VALUES.items()))

    assert read_variables((tmp_path / "env").read_bytes()) == VALUES


def test_the_same_changes_make_the_same_block(tmp_path: Path) -> None:
    path = tmp_path / "env"
    edit(path, "create")
    ours = empty_block()
    steps: list[dict[str, str | None]] = [
        {"boot_counter": "2", "boot_success": "0", "kernel": "a\\b"},
        {"boot_counter": "-1", "longer": "x" * 300},
        {"kernel": None, "boot_success": "1"},
        {"boot_counter": None, "kernel": "again"},
        {"longer": ""},
    ]

    for changes in steps:
        for name, value in changes.items():
            if value is None:
                edit(path, "unset", name)
            else:
                edit(path, "set", f"{name}={value}")
        ours = change_variables(ours, changes)
        # Its warning goes with the first change, unlike ours.
        assert read_variables(path.read_bytes()) == read_variables(ours)
        assert edit(path, "list") == listed(tmp_path, ours)


def listed(directory: Path, block: bytes) -> str:
    (directory / "ours").write_bytes(block)
    return edit(directory / "ours", "list")


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.text(st.sampled_from("ab#=\\ \n"), max_size=12),
        max_size=8,
    )
)
def test_any_values_come_back(values: dict[str, str]) -> None:
    block = change_variables(empty_block(), values)

    assert read_variables(block) == values
    assert len(block) == 1024
