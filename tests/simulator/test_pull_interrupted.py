"""Pulls that end in the middle: killed, interrupted, and gone on with."""

from __future__ import annotations

import os
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
