"""Pulls that end in the middle: killed, interrupted, and gone on with."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.repo.repository import Repo
from ostree.transfer.pull import pull
from simulator.lying_server import Handler, Lie, LyingServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.events import Event

PROGRAM = Path(__file__).parent / "pulling_program.py"
FILES = 300


class Slow(Lie):
    """Serves the file after a moment."""

    def tell(self, handler: Handler) -> None:
        handler.server.stopping.wait(0.004)
        handler.answer(200, handler.truth)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LyingServer]:
    """Serves an archive repository with some hundred files on ``main``, slowly."""
    tree = tmp_path / "tree"
    for number in range(FILES):
        directory = tree / str(number % 20)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file{number}").write_bytes(os.urandom(2000))
    (tree / "large").write_bytes(os.urandom(3_000_000))
    with Repo.create(tmp_path / "source", "archive") as repo, repo.transaction() as transaction:
        root = transaction.import_directory(tree)
        transaction.set_ref("main", transaction.commit(root))
    with LyingServer(tmp_path / "source") as running:
        running.lie("/objects/*.filez", Slow())
        yield running


def new_repo(path: Path, server: LyingServer, *, fsync: bool) -> None:
    with Repo.create(path, "bare-user") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        if not fsync:
            keyfile = repo.config.keyfile.copy()
            keyfile.set_string("core", "fsync", "false")
            repo.save_config(keyfile)


def requested_files(server: LyingServer) -> list[str]:
    return [path for path in server.paths() if path.endswith(".filez")]


@pytest.mark.parametrize("fsync", [True, False], ids=["staged", "in place"])
def test_killed_and_gone_on_with(tmp_path: Path, server: LyingServer, *, fsync: bool) -> None:
    """Whenever the process dies the repository is sound, and nothing that came is lost."""
    path = tmp_path / "repo"
    new_repo(path, server, fsync=fsync)
    for kills in range(1, 5):
        process = subprocess.Popen([sys.executable, PROGRAM, path])
        before = len(requested_files(server))
        deadline = time.monotonic() + 20
        while len(requested_files(server)) < before + 50 and time.monotonic() < deadline:
            time.sleep(0.002)

        process.send_signal(signal.SIGKILL)
        process.wait()

        with Repo.open(path) as repo:
            assert repo.refs.all() == {}
            found = repo.fsck()
            assert not found.corrupted, kills

    with Repo.open(path) as repo:
        pull(repo, "origin", ["main"])
        assert repo.refs.all().keys() == {"origin:main"}
        assert not repo.fsck().corrupted
        assert repo.fsck().partial == 0
    # Each kill loses what was under way, at most: what waits, runs and is being stored.
    assert len(requested_files(server)) < FILES + 1 + 4 * 150
    assert os.listdir(path / "state") == []


def stored(path: Path) -> set[str]:
    """The objects of a repository, staged ones too, as the paths they have on the server."""
    found = set()
    for place in (path / "objects", *path.glob("tmp/staging-*[!k]")):
        for file in place.glob("??/*"):
            name = f"/objects/{file.parent.name}/{file.name}"
            found.add(f"{name}z" if name.endswith(".file") else name)
    return found


def begin_pull(path: Path) -> subprocess.Popen[bytes]:
    """A pull by a process of its own, which has just begun."""
    process = subprocess.Popen([sys.executable, PROGRAM, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begin\n"
    return process


def test_killed_at_any_moment(tmp_path: Path, server: LyingServer) -> None:
    """The next pull completes, and asks for nothing that had been stored.

    More rounds: ``OSTREE_KILL_ROUNDS=200``.
    """
    rounds = int(os.environ.get("OSTREE_KILL_ROUNDS", "15"))
    generator = random.Random(rounds)
    repos = {fsync: tmp_path / f"fsync-{fsync}" for fsync in (True, False)}
    for fsync, path in repos.items():
        new_repo(path, server, fsync=fsync)
    with begin_pull(shutil.copytree(repos[True], tmp_path / "whole")) as process:
        started = time.monotonic()
        assert process.wait() == 0
    whole = time.monotonic() - started
    kept = 0
    for number in range(rounds):
        path = shutil.copytree(repos[number % 2 == 0], tmp_path / f"round-{number}")
        with begin_pull(path) as process:
            time.sleep(whole * generator.uniform(0, 1.1))
            process.kill()
        before, seen = stored(path), len(server.paths())
        kept += len(before)

        with Repo.open(path) as repo:
            assert not repo.fsck().corrupted
            pull(repo, "origin", ["main"])

            found = repo.fsck()
            assert not found.corrupted, number
            assert found.partial == 0, number
        assert not before & set(server.paths()[seen:])
        assert len(stored(path)) == len(stored(tmp_path / "whole"))
        assert os.listdir(path / "state") == os.listdir(path / "tmp") == []
        shutil.rmtree(path)
    assert kept


def test_interrupted_by_the_user(tmp_path: Path, server: LyingServer) -> None:
    """Ctrl-C ends threads and connections, and the next run goes on."""
    path = tmp_path / "repo"
    new_repo(path, server, fsync=True)
    threads = threading.active_count()

    def interrupt(event: Event) -> None:
        if getattr(event, "fetched_content", 0) > 20:
            raise KeyboardInterrupt

    with Repo.open(path) as repo:
        from ostree.transfer.options import PullOptions

        with pytest.raises(KeyboardInterrupt):
            pull(repo, "origin", ["main"], PullOptions(update_interval=0.0), interrupt)

        came = set(requested_files(server))
        assert not [t for t in threading.enumerate() if t.name == "ostree-worker"]
        assert repo.refs.all() == {}
        assert not repo.fsck().corrupted
        seen = len(requested_files(server))
        pull(repo, "origin", ["main"])
        assert not repo.fsck().corrupted
        assert repo.fsck().partial == 0
    again = requested_files(server)[seen:]
    assert len(came & set(again)) < len(came)
    assert threading.active_count() <= threads + 64
