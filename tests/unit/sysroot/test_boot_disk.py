"""Files of a boot configuration that is in use, replaced in an order that a power cut respects."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.events import ignore
from ostree.sysroot import boot_disk
from ostree.sysroot.boot_disk import BootDisk
from ostree.sysroot.settings import SysrootSettings
from ostree.system.exchange import exchange_or_rename
from ostree.system.files import open_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENTRIES = "boot/loader.0/entries"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with two entries."""
    (tmp_path / ENTRIES).mkdir(parents=True)
    for name in "ab":
        (tmp_path / ENTRIES / name).write_text("old")
    return tmp_path


@pytest.fixture
def root_fd(root: Path) -> Iterator[int]:
    fd = open_directory(root)
    yield fd
    os.close(fd)


class Watched(BootDisk):
    """Takes note of what the directory holds whenever something would be brought to the disk."""

    def __init__(self, root: Path, root_fd: int) -> None:
        settings = SysrootSettings(sync=True)
        super().__init__(root_fd, root_fd, settings, sync_repo=False, on_event=ignore)
        self._entries = root / ENTRIES
        self.seen: list[dict[str, str]] = []

    def _checkpoint(self, *, synced: bool = False) -> None:
        del synced
        self.seen.append({path.name: path.read_text() for path in self._entries.iterdir()})


NEW = {f"{ENTRIES}/a": b"new a", f"{ENTRIES}/b": b"new b"}


def test_what_is_new_is_on_the_disk_before_and_what_is_old_until_after(
    root: Path, root_fd: int
) -> None:
    disk = Watched(root, root_fd)

    disk.replace_files(NEW)

    before, after = disk.seen
    assert before == {"a": "old", "b": "old", "a.tmp": "new a", "b.tmp": "new b"}
    assert after == {"a": "new a", "b": "new b", "a.tmp": "old", "b.tmp": "old"}
    assert sorted(os.listdir(root / ENTRIES)) == ["a", "b"]


def test_nothing_to_replace_is_nothing_to_do(root: Path, root_fd: int) -> None:
    disk = Watched(root, root_fd)

    disk.replace_files({})

    assert disk.seen == []


def test_after_an_interruption_each_file_is_whole(
    root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next time what it left is no trouble."""
    exchange = exchange_or_rename

    def fail_at_the_second(source: str, target: str, dir_fd: int) -> bool:
        if target.endswith("b"):
            raise OSError(5, os.strerror(5))
        return exchange(source, target, dir_fd)

    disk = Watched(root, root_fd)
    with monkeypatch.context() as patch:
        patch.setattr(boot_disk, "exchange_or_rename", fail_at_the_second)
        with pytest.raises(OSError, match="Input/output error"):
            disk.replace_files(NEW)
    entries = root / ENTRIES
    assert [(entries / name).read_text() for name in "ab"] == ["new a", "old"]

    disk.replace_files({f"{ENTRIES}/b": b"newer b", f"{ENTRIES}/a": b"newer a"})

    assert sorted(os.listdir(entries)) == ["a", "b"]
    assert [(entries / name).read_text() for name in "ab"] == ["newer a", "newer b"]
