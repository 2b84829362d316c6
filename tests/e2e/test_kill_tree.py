"""Wherever preparing a tree or building an image dies, the next run leaves what one would have.

Preparing is killed, or given a full disk or a failing one, at its first call that changes a file
system, at its second, and so on.  ``OSTREE_KILL_ROUNDS=all`` takes all calls; else a part of them,
another one every day.
"""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.running import ostree, succeed
from support import interruptions
from support.draft_trees import SYSTEMD, Contents, snapshot, write_tree
from support.image_tools import why_no_images

if TYPE_CHECKING:
    from pathlib import Path

EVERY_CALL = os.environ.get("OSTREE_KILL_ROUNDS") == "all"
OFFSET = dt.datetime.now(dt.UTC).timetuple().tm_yday
ENVIRON = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
ERRORS = {"kill": 0, "full": errno.ENOSPC, "broken": errno.EIO}

ROOTFS: Contents = {
    **SYSTEMD,
    "bin/sh": "shell",
    "bin/twice": "1",
    "usr/bin/twice": "1",
    "usr/bin/there": "-> ../../bin/sh",
    "lib/libc.so": "library",
    "lib/link": "-> ../etc/file",
    "lib/modules/6.1/x.ko": "module",
    "boot/vmlinuz": "-> vmlinuz-6.1",
    "boot/vmlinuz-6.1": "kernel",
    "boot/initrd.img-6.1": "ramdisk",
    "boot/splash": "picture",
    "etc/file": "configuration",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "home/user/notes": "notes",
    "opt/vendor/tool": "tool",
    "usr/bin/ostree": "command",
    "usr/lib/os-release": "ID=os\nPRETTY_NAME=Os\n",
    "usr/lib/systemd/systemd": "systemd",
    "usr/local/lib/x": "-> ../../lib/libc.so",
    "var/lib/app/data": "data",
    "var/lib/dpkg/status": "installed",
    "var/log/empty": "",
}


def interrupt(
    argv: tuple[str, ...], at: int, error: int = 0
) -> tuple[interruptions.Interrupted, str]:
    """Run a command in a process of its own; what became of it, and what it said of errors."""

    def act() -> bytes:
        result = ostree(*argv, environ=ENVIRON)
        return json.dumps([result.status, result.err]).encode()

    interrupted = interruptions.interrupt(act, at=at, error=error)
    if not interrupted.report:
        return interrupted, ""
    status, err = json.loads(interrupted.report)
    return interrupted._replace(status=status), err


@pytest.mark.parametrize("how", ERRORS)
def test_a_tree(how: str, tmp_path: Path) -> None:
    interruptions.require()
    template, root = write_tree(tmp_path / "template", ROOTFS), tmp_path / "root"
    shutil.copytree(template, root, symlinks=True)
    argv = ("tree", "prepare", "--usr-local-state", str(root))
    whole, err = interrupt(argv, 0)
    assert (whole.status, err) == (0, "")
    wanted = snapshot(root)
    stride = 1 if EVERY_CALL else 5
    calls = range(1 + OFFSET % stride, whole.calls + 1, stride)

    for at in calls:
        shutil.rmtree(root)
        shutil.copytree(template, root, symlinks=True)
        interrupted, err = interrupt(argv, at, ERRORS[how])
        call = f"{how} at call {at} of {whole.calls} ({interrupted.call})"
        if how == "kill":
            assert interrupted.status == -signal.SIGKILL, call
        elif interrupted.status:
            assert err.startswith("error: "), call
            assert os.strerror(ERRORS[how]) in err, call

        again = ostree(*argv)

        assert (again.status, again.err) == (0, ""), call
        assert snapshot(root) == wanted, call
    assert len(calls) > 10


@pytest.mark.root
@pytest.mark.skipif(bool(why_no_images()), reason=why_no_images())
def test_an_image(tmp_path: Path) -> None:
    """Killed after each line that it prints: the old one stays until the new one is complete."""
    rootfs = write_tree(tmp_path / "rootfs", ROOTFS)
    succeed("tree", "prepare", rootfs)
    succeed("init", f"--repo={tmp_path}/repo", "--mode=archive")
    succeed("commit", f"--repo={tmp_path}/repo", "--branch=os", "--no-xattrs", rootfs)
    (tmp_path / "images").mkdir()
    image = tmp_path / "images" / "disk.img"
    what = (f"--repo={tmp_path}/repo", "--ref=os", "--os=os", "--bootloader=none")
    argv = ("image", "build", *what, f"--output={image}")
    lines = succeed(*argv, environ=ENVIRON).splitlines()
    size = image.stat().st_size

    for count in range(len(lines)):
        image.write_text("old")
        command = [sys.executable, "-m", "ostree", *argv]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(count):
                process.stdout.readline()
            process.kill()
        # A program that it has started may go on for a moment, in a directory that is gone then.
        assert image.stat().st_size in {len("old"), size}

        again = succeed(*argv, environ=ENVIRON)

        assert len(again.splitlines()) == len(lines)
        assert os.listdir(tmp_path / "images") == ["disk.img"]
        assert image.stat().st_size == size
