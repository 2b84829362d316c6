"""The command ends its process at once, unless somebody waits for the interpreter's end."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = """
import os, sys
from ostree.cli.main import command
class Told:
    def __del__(self, write=os.write):
        write(2, b"taken apart\\n")
told = Told()
sys.argv[1:] = sys.argv[1:] or ["--version"]
"""


def run(something: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"{START}{something}\ncommand()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], check=False, capture_output=True, text=True
    )


def test_nothing_is_taken_apart() -> None:
    done = run("")

    assert done.stdout.startswith("libostree:")
    assert done.stderr == ""
    assert done.returncode == 0


def test_the_status_and_what_was_printed() -> None:
    done = run("", "--repo=/nowhere", "refs")

    assert done.stderr.startswith("error: ")
    assert "taken apart" not in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize(
    "something",
    [
        'import atexit; atexit.register(sys.stderr.write, "something\\n")',
        'import threading; threading.Timer(0.1, sys.stderr.write, ["something\\n"]).start()',
        'sys.settrace(lambda *_: None); sys.stderr.write("something\\n")',
        'sys.setprofile(lambda *_: None); sys.stderr.write("something\\n")',
    ],
    ids=["atexit", "thread", "trace", "profile"],
)
def test_others_come_to_an_end(something: str) -> None:
    done = run(something)

    assert "something\n" in done.stderr
    assert "taken apart\n" in done.stderr
    assert done.returncode == 0
