"""The kernel's watchdog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostree.system.watchdog import stop_watchdog

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_told_to_stop(tmp_path: Path) -> None:
    device = tmp_path / "watchdog"
    device.touch()

    assert stop_watchdog(str(device))

    assert device.read_bytes() == b"V"


def test_where_there_is_none_nothing_is_stopped(tmp_path: Path) -> None:
    assert not stop_watchdog(str(tmp_path / "watchdog"))
    assert list(tmp_path.iterdir()) == []
