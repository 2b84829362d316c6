"""Progress on a real terminal: shown while something runs, gone or complete afterwards."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest

from ostree.repo.repository import Repo

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = 40
#: The command, with work slowed down so that there is time to tell: the clock goes ahead by itself.
PROGRAM = """
import itertools, sys, time
ticks = itertools.count()
time.monotonic = lambda: next(ticks) * 0.7
from ostree.cli.main import run
sys.exit(run())
"""


class Run:
    """A command on a terminal of its own, 40 columns wide.

    Attributes:
        shown: What it wrote to the terminal.
        out: What it wrote to standard output, if that was a pipe.
    """

    def __init__(self, *argv: str, piped: bool = False) -> None:
        main, end = pty.openpty()
        fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *argv],
            stdin=end,
            stdout=subprocess.PIPE if piped else end,
            stderr=end,
        )
        os.close(end)
        self.shown = read_terminal(main)
        self.out = process.communicate(timeout=60)[0] or b""
        os.close(main)
        assert process.returncode == 0, self.shown


def read_terminal(fd: int) -> str:
    """Everything until nobody has the other end any more."""
    pieces = []
    while select.select([fd], [], [], 60)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        pieces.append(data)
    return b"".join(pieces).decode()


def screen(shown: str) -> list[str]:
    """The lines that stand there in the end, of what may rewrite one of them."""
    lines = [""]
    saved = column = 0
    before = ""
    for piece in re.findall(r"\x1b[78]|\r?\n|[^\x1b\r\n]+", shown):
        if piece == "\x1b7":
            saved = column
        elif piece == "\x1b8":
            column = saved
        elif piece.endswith("\n"):
            lines.append("")
            column = 0
        else:
            line = lines[-1].ljust(column)
            lines[-1] = line[:column] + piece + line[column + len(piece) :]
            column += len(piece)
            assert column < COLUMNS or before != "\x1b8", f"the terminal would wrap: {piece}"
        before = piece
    return [line.rstrip() for line in lines]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    with Repo.create(tmp_path / "repo", "archive") as repo:
        for number in range(3):
            for name in range(10):
                (tree / str(name)).write_text(f"{number} {name}")
            with repo.transaction(fsync=False) as txn:
                txn.set_ref("main", txn.commit(txn.import_directory(tree), timestamp=number))
    return tmp_path / "repo"


def test_a_silent_command_leaves_only_its_result(repo: Path) -> None:
    run = Run("prune", f"--repo={repo}", "--refs-only")

    assert re.search(r"\x1b8Deleting objects \(\d+/\d+\) \d+%", run.shown)
    lines = screen(run.shown)
    assert lines[0] == "Total objects: 37"
    assert lines[1].startswith("Deleted 24 objects, ")
    assert lines[2:] == [""]


def test_progress_does_not_get_into_a_pipe(repo: Path) -> None:
    """``x=$(ostree …)`` typed at a terminal shows progress there."""
    run = Run("prune", f"--repo={repo}", "--refs-only", piped=True)

    assert "Reading object directories" in run.shown
    assert screen(run.shown) == [""]
    assert run.out.splitlines()[0] == b"Total objects: 37"
    assert b"\x1b" not in run.out


def test_a_command_that_shows_steps_ends_with_all_of_them(repo: Path) -> None:
    run = Run("fsck", f"--repo={repo}")

    lines = screen(run.shown)
    assert lines[0] == "Validating refs..."
    assert lines[4].startswith("fsck objects (37/37) 100%")
    assert lines[5].startswith("object fsck of 3 commits")
