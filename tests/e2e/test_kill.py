"""Sudden ends: after kill -9 and ^C a repository is whole, and the next commit works."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from ostree.repo.checkout_options import CheckoutOptions, Existing
from ostree.repo.repository import Repo
from support import processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

COMMIT = """
    import sys
    from ostree.repo.repository import Repo
    with Repo.open(sys.argv[1]) as repo:
        print("begin", flush=True)
        with repo.transaction() as txn:
            checksum = txn.commit(txn.import_directory(sys.argv[2]), timestamp=1)
            txn.set_ref("main", checksum)
    print("end", flush=True)
"""
CHECKOUT = """
    import sys
    from ostree.repo.checkout_options import CheckoutOptions
    from ostree.repo.repository import Repo
    with Repo.open(sys.argv[1]) as repo:
        print("begin", flush=True)
        repo.checkout("main", sys.argv[2], options=CheckoutOptions(user_mode=True))
    print("end", flush=True)
"""
#: Interrupted by itself once something has been written.
INTERRUPTED = """
    import os, signal, sys
    from ostree.repo.repository import Repo
    def interrupt(event):
        os.kill(os.getpid(), signal.SIGINT)
    with Repo.open(sys.argv[1]) as repo:
        try:
            with repo.transaction() as txn:
                tree = txn.import_directory(sys.argv[2], on_event=interrupt)
                txn.set_ref("main", txn.commit(tree, timestamp=1))
        except KeyboardInterrupt:
            print("interrupted")
"""
ROUNDS = 6


def fill(tree: Path, salt: str) -> None:
    """A tree whose commit takes a while; another one for every salt."""
    shutil.rmtree(tree, ignore_errors=True)
    generator = random.Random(salt)
    for number in range(20):
        directory = tree / f"{number:02}" / "sub"
        directory.mkdir(parents=True)
        for name in range(12):
            (directory / f"{name}").write_bytes(generator.randbytes(4000 * (name % 3)))
        (directory / "link").symlink_to(f"{salt}-{number}")
    (tree / "large").write_bytes(generator.randbytes(1 << 16) + bytes(9 << 20))
    (tree / "middling").write_bytes(generator.randbytes(1 << 20))


def end_suddenly(code: str, delay: float, *arguments: Path, how: int = signal.SIGKILL) -> int:
    """Run a piece of code and end it ``delay`` seconds after it has begun; its exit status."""
    with processes.start(code, *arguments) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(how)
        process.wait()
        return process.returncode


def duration(code: str, *arguments: Path) -> float:
    with processes.start(code, *arguments) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        started = time.monotonic()
        process.wait()
        assert process.returncode == 0
        return time.monotonic() - started


def commit(path: Path, tree: Path) -> str:
    with Repo.open(path) as repo, repo.transaction() as txn:
        checksum = txn.commit(txn.import_directory(tree), timestamp=1)
        txn.set_ref("main", checksum)
    return checksum


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["bare-user", "archive"])
def test_a_commit_that_is_killed(tmp_path: Path, oracle: Oracle, mode: str) -> None:
    path, tree = tmp_path / "repo", tmp_path / "tree"
    Repo.create(path, mode).close()
    fill(tree, "first")
    whole = duration(COMMIT, path, tree)
    generator = random.Random(mode)
    for number in range(ROUNDS):
        with Repo.open(path) as repo:
            before = repo.resolve("main")
        fill(tree, str(number))

        end_suddenly(COMMIT, whole * generator.uniform(0.05, 1.1), path, tree)

        oracle(f"--repo={path}", "fsck", "-q")
        with Repo.open(path) as repo:
            after = repo.resolve("main")
        new = commit(path, tree)
        assert after in (before, new)
        with Repo.open(path) as repo:
            assert repo.resolve("main") == new
            assert not [name for name in os.listdir(path / "tmp") if "staging" in name]
    oracle(f"--repo={path}", "fsck", "-q")
    with Repo.open(path) as repo:
        assert not repo.fsck().corrupted
        repo.checkout("main", tmp_path / "out", options=CheckoutOptions(user_mode=True))
    assert not subprocess.run(
        ["diff", "-r", "--no-dereference", tree, tmp_path / "out"], check=False
    ).returncode


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["bare-user", "archive"])
def test_a_checkout_that_is_killed(tmp_path: Path, oracle: Oracle, mode: str) -> None:
    path, tree = tmp_path / "repo", tmp_path / "tree"
    Repo.create(path, mode).close()
    fill(tree, mode)
    commit(path, tree)
    whole = duration(CHECKOUT, path, tmp_path / "out")
    generator = random.Random(mode)
    for number in range(3):
        out = tmp_path / f"out-{number}"

        end_suddenly(CHECKOUT, whole * generator.uniform(0.05, 0.9), path, out)

        oracle(f"--repo={path}", "fsck", "-q")
        with Repo.open(path) as repo:
            options = CheckoutOptions(user_mode=True, existing=Existing.REPLACE)
            repo.checkout("main", out, options=options)
        assert not subprocess.run(
            ["diff", "-r", "--no-dereference", tree, out], check=False
        ).returncode


@pytest.mark.oracle
def test_a_commit_that_is_interrupted_somewhere(tmp_path: Path, oracle: Oracle) -> None:
    path, tree = tmp_path / "repo", tmp_path / "tree"
    Repo.create(path, "archive").close()
    fill(tree, "first")
    whole = duration(COMMIT, path, tree)
    generator = random.Random("interrupt")
    for number in range(3):
        with Repo.open(path) as repo:
            before = repo.resolve("main")
        fill(tree, str(number))

        status = end_suddenly(
            COMMIT, whole * generator.uniform(0.05, 0.9), path, tree, how=signal.SIGINT
        )

        assert status in (0, 1, -signal.SIGINT)
        oracle(f"--repo={path}", "fsck", "-q")
        with Repo.open(path) as repo:
            after = repo.resolve("main")
        assert after in (before, commit(path, tree))


def test_an_interrupted_commit_shows_nothing(tmp_path: Path) -> None:
    path, tree = tmp_path / "repo", tmp_path / "tree"
    Repo.create(path, "bare-user").close()
    fill(tree, "tree")

    done = processes.run(INTERRUPTED, path, tree)

    assert done.stdout == "interrupted\n"
    assert done.stderr == ""
    assert os.listdir(path / "objects") == []
    assert os.listdir(path / "refs/heads") == []
    (staging,) = os.listdir(path / "tmp")
    assert len(os.listdir(path / "tmp" / staging)) > 0
    with Repo.open(path) as repo, repo.transaction() as txn:
        assert txn.resumed
        txn.import_directory(tree)
        assert 0 < txn.stats.content_written < txn.stats.content_total
    assert os.listdir(path / "tmp") == []
