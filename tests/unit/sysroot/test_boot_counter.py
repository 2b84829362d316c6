"""The count of tries that U-Boot's script keeps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.sysroot.boot_counter import reset_counter

if TYPE_CHECKING:
    from pathlib import Path


def test_the_count_is_set_back(tmp_path: Path) -> None:
    state = tmp_path / "bootstate.env"
    state.write_bytes(b"bootcount=2\n" + bytes(4084))

    assert reset_counter(str(tmp_path))

    assert state.read_bytes() == b"bootcount=0\n"
    assert os.listdir(tmp_path) == ["bootstate.env"]


def test_a_count_of_0_is_not_written(tmp_path: Path) -> None:
    state = tmp_path / "bootstate.env"
    state.write_bytes(b"bootcount=0\n")
    before = state.stat()

    assert reset_counter(str(tmp_path))

    assert (state.stat().st_ino, state.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "bootstate.env").write_bytes(b"bootcount=2\n")
    (tmp_path / "bootstate.env.new").write_bytes(b"something that is longer than it\n")

    assert reset_counter(str(tmp_path))

    assert (tmp_path / "bootstate.env").read_bytes() == b"bootcount=0\n"


def test_no_state_is_no_error(tmp_path: Path) -> None:
    assert not reset_counter(str(tmp_path))


def test_a_state_that_is_too_large_is_none(tmp_path: Path) -> None:
    (tmp_path / "bootstate.env").write_bytes(bytes(1 << 17))

    with pytest.raises(SysrootError, match="Setting back the count of boots"):
        reset_counter(str(tmp_path))
