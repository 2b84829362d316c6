"""``make demo``: the whole way, and nothing left behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(sys.executable).with_name("ostree")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The temporary directory of the demo."""
    place = tmp_path / "tmp"
    place.mkdir()
    return place


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    """A root file system of the old shape: /bin and /lib of its own, no kernel."""
    tree = tmp_path / "tree"
    for directory in ("bin", "lib", "usr/bin", "usr/lib", "etc", "var/log", "home/someone"):
        (tree / directory).mkdir(parents=True)
    (tree / "bin" / "sh").write_bytes(os.urandom(5000))
    (tree / "usr/bin/env").write_bytes(os.urandom(5000))
    (tree / "usr/bin/link").symlink_to("env")
    (tree / "lib/libc.so").write_bytes(os.urandom(5000))
    (tree / "usr/lib/os-release").write_text('ID=small\nPRETTY_NAME="Small OS"\n')
    (tree / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    (tree / "home/someone/private").write_text("not part of the system\n")
    return tree


def command(*arguments: str | Path) -> list[str]:
    program = ["-m", "demo.run", "--ostree", str(PROGRAM)]
    return [sys.executable, *program, *map(str, arguments)]


def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(place)}


def test_the_hosts_own_files_go_the_whole_way(place: Path) -> None:
    """The default run: real files committed, served, pulled, deployed, updated, rolled back."""
    result = subprocess.run(
        command(),
        cwd=PROJECT,
        env=environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert (result.returncode, result.stderr) == (0, "")
    for words in (
        "/usr equals the committed tree byte for byte",
        "the edit is kept",
        "\nkernel_image2=/boot/ostree/gateway-",
        "release 1 is first again",
    ):
        assert words in result.stdout
    assert list(place.iterdir()) == []


def test_a_given_tree_goes_the_same_way(place: Path, small_tree: Path) -> None:
    """``make demo TREE=…`` brings it into the /usr-merged shape and leaves the original alone."""
    before = sorted(str(path) for path in small_tree.rglob("*"))

    result = subprocess.run(
        command("--tree", small_tree),
        cwd=PROJECT,
        env=environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert "release 1 is first again" in result.stdout
    assert sorted(str(path) for path in small_tree.rglob("*")) == before
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_demo_cleans_up(place: Path, small_tree: Path, number: signal.Signals) -> None:
    """Stopped while its server runs, it ends that server and removes its directory."""
    with subprocess.Popen(
        command("--tree", small_tree),
        cwd=PROJECT,
        env=environment(place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "http://127.0.0.1:" in line:
                break
        server = server_of(process.pid)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert errors == "demo: stopped\n"
    assert has_ended(server)
    assert list(place.iterdir()) == []


def server_of(parent: int) -> int:
    """The process below ``parent`` that runs ``ostree serve``."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for child in children:
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if b"serve" in words:
            return int(child)
    raise AssertionError(f"no server among {children}")


def has_ended(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}"):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
