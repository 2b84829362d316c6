"""A file system is frozen and thawed, and never stays frozen."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from ostree.system import freezing
from ostree.system.freezing import Freezer
from support import processes
from support.loop_mounts import make_disk

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINT = """
    import os, subprocess, sys
    from ostree.system.freezing import Freezer
    directory, image = sys.argv[1:]
    with open(f"{directory}/file", "w") as file:
        file.write("content")
    def on_disk():
        command = ["/sbin/debugfs", "-R", "cat /file", image]
        return subprocess.run(command, capture_output=True, text=True).stdout
    fd = os.open(directory, os.O_RDONLY)
    before = on_disk()
    with Freezer(fd) as freezer:
        freezer.checkpoint()
        after = on_disk()
        freezer.checkpoint()
    with open(f"{directory}/writable", "w") as file:
        file.write("x")
    print(repr(before), repr(after))
"""
#: Freezes and dies, or waits too long.
ABANDONED = """
    import fcntl, os, sys, time
    from ostree.system import freezing
    directory, how = sys.argv[1:]
    fd = os.open(directory, os.O_RDONLY)
    freezer = freezing.Freezer(fd, patience=1.0)
    freezer._alert()
    fcntl.ioctl(fd, freezing._FREEZE, 0)
    child = os.fork()
    if child == 0:
        freezer.close()
        open(f"{directory}/written", "w").close()
        os._exit(7)
    time.sleep(0.1)
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    begin = time.monotonic()
    if how == "dies":
        freezer.close()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), time.monotonic() - begin < 0.5)
    freezer.close()
"""


@pytest.mark.root
def test_what_was_written_is_in_place(tmp_path: Path) -> None:
    """What reads the disk without the journal sees it, twice over."""
    prefix = make_disk(tmp_path)

    done = processes.run(CHECKPOINT, tmp_path / "disk", tmp_path / "disk.img", prefix=prefix)

    assert done.stderr == ""
    assert done.stdout == "'' 'content'\n"


@pytest.mark.root
@pytest.mark.parametrize(("how", "at_once"), [("dies", "True"), ("waits", "False")])
def test_somebody_thaws_for_us(tmp_path: Path, how: str, at_once: str) -> None:
    """At once if we are gone; after a while if we are just slow."""
    prefix = make_disk(tmp_path)

    done = processes.run(ABANDONED, tmp_path / "disk", how, prefix=prefix)

    assert done.stderr == ""
    assert done.stdout == f"7 {at_once}\n"


def test_where_freezing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is synced instead; and if the watching process has died there is another."""
    monkeypatch.setattr(freezing, "_FREEZE", 0)
    synced: list[int] = []
    monkeypatch.setattr(freezing, "sync_filesystem", synced.append)
    fd = os.open(tmp_path, os.O_RDONLY)

    with Freezer(fd) as freezer:
        os.close(fd)
        freezer.checkpoint()
        assert freezer._watchdog is not None
        freezer._watchdog.shutdown(2)
        freezer.checkpoint()

    assert len(synced) == 2


def test_the_watching_process_keeps_nothing(tmp_path: Path) -> None:
    """No lock and no pipe of ours stays open in it, or a script that reads it would wait."""
    code = """
        import os, sys, time
        from ostree.system import freezing
        freezing._FREEZE = 0
        freezing.sync_filesystem = lambda fd: None
        freezer = freezing.Freezer(os.open(sys.argv[1], os.O_RDONLY))
        freezer.checkpoint()
        os.kill(os.getpid(), 9) if sys.argv[2] == "die" else time.sleep(60)
    """
    begin = time.monotonic()

    done = processes.run(code, tmp_path, "die")

    assert done.returncode == -9
    assert time.monotonic() - begin < 20


def test_trying_the_watchdog(tmp_path: Path) -> None:
    code = """
        import os, sys
        from ostree.system.freeze_watchdog import try_watchdog
        print(try_watchdog(os.open(sys.argv[1], os.O_RDONLY), patience=0.05))
    """

    done = processes.run(code, tmp_path)

    assert (done.stdout, done.stderr) == ("True\n", "")
