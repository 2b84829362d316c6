"""What is written is where a reader looks that knows nothing of the journal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.system import checkpointing, freezing
from ostree.system.checkpointing import Checkpointer
from ostree.system.file_system_type import EXT4
from support import processes
from support.loop_mounts import make_disk

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINT = """
    import os, subprocess, sys
    from ostree.system import checkpointing, freezing
    from ostree.system.checkpointing import Checkpointer
    directory, image, how = sys.argv[1:]
    class NeverFrozen(freezing.Freezer):
        def checkpoint(self):
            raise SystemExit("it is frozen")
    if how == "ext4":
        freezing.Freezer = NeverFrozen
    else:
        checkpointing.EXT4 = 0
    def on_disk(name):
        command = ["/sbin/debugfs", "-R", f"cat /{name}", image]
        return subprocess.run(command, capture_output=True, text=True).stdout
    def write(name):
        with open(f"{directory}/{name}", "w") as file:
            file.write("content")
    def sync():
        fd = os.open(directory, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    fd = os.open(directory, os.O_RDONLY)
    seen = []
    with Checkpointer(fd) as checkpointer:
        write("file")
        seen.append(on_disk("file"))
        checkpointer.checkpoint()
        seen.append(on_disk("file"))
        os.rename(f"{directory}/file", f"{directory}/renamed")
        sync()
        seen.append(on_disk("renamed"))
        checkpointer.checkpoint(synced=True)
        seen.append(on_disk("renamed"))
    write("writable")
    print(seen)
"""


@pytest.mark.root
@pytest.mark.parametrize("how", ["ext4", "as others"])
def test_what_was_written_is_in_place(tmp_path: Path, how: str) -> None:
    """Content and names, and both again; ext4 is not frozen for it."""
    prefix = make_disk(tmp_path)

    done = processes.run(CHECKPOINT, tmp_path / "disk", tmp_path / "disk.img", how, prefix=prefix)

    assert done.stderr == ""
    assert done.stdout == "['', 'content', '', 'content']\n"


def test_where_the_kernel_refuses_it_is_frozen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is asked no second time."""
    asked: list[int] = []
    frozen: list[int] = []
    synced: list[int] = []

    class Frozen(freezing.Freezer):
        def checkpoint(self) -> None:
            frozen.append(1)

    def refuse(fd: int) -> bool:
        asked.append(fd)
        return False

    monkeypatch.setattr(freezing, "Freezer", Frozen)
    monkeypatch.setattr(checkpointing, "file_system_type", lambda _fd: EXT4)
    monkeypatch.setattr(checkpointing, "empty_journal", refuse)
    monkeypatch.setattr(checkpointing, "sync_filesystem", synced.append)
    fd = os.open(tmp_path, os.O_RDONLY)

    with Checkpointer(fd) as checkpointer:
        os.close(fd)
        checkpointer.checkpoint()
        checkpointer.checkpoint(synced=True)

    assert (len(asked), len(synced), len(frozen)) == (1, 1, 2)


def test_a_file_system_without_a_journal() -> None:
    fd = os.open("/proc", os.O_RDONLY)
    try:
        assert not checkpointing.empty_journal(fd)
    finally:
        os.close(fd)
