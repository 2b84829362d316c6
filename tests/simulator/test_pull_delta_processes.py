"""Pulls whose deltas are executed by several processes end as those of one do."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING

import pytest

from ostree.formats.delta.name import DeltaName
from ostree.repo import summary
from ostree.repo.repository import Repo
from ostree.repo.static_delta.generate import generate
from ostree.repo.static_delta.plan import DeltaOptions
from simulator.lying_server import LyingServer
from support import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The program is told how it is to pull, and prints what has come of it.
PULL = """
    import json, os, signal, sys, threading
    from ostree.errors import OSTreeError
    from ostree.repo.repository import Repo
    from ostree.repo.static_delta.part_workers import _Failures
    from ostree.transfer.options import PullOptions
    from ostree.transfer.pull import pull
    path, how = sys.argv[1:]
    children = []
    os.register_at_fork(before=lambda: children.append(1))
    if how == "killed":  # after five milliseconds of work
        timer = (signal.ITIMER_VIRTUAL, 0.005)
        os.register_at_fork(after_in_child=lambda: signal.setitimer(*timer))
    if how == "with a thread":
        done = threading.Event()
        threading.Thread(target=done.wait).start()
    processors = 1 if how == "alone" else 3
    os.sched_getaffinity = lambda pid: set(range(processors))
    told, settle = [], _Failures.settle
    def tell(self, reply):
        settle(self, reply)
        told.append(reply is not None)
    _Failures.settle = tell
    outcome = {}
    try:
        with Repo.open(path) as repo:
            result = pull(repo, "origin", ["main"], PullOptions(require_static_deltas=True))
        for name in ("delta_parts", "content", "metadata", "bytes_transferred"):
            outcome[name] = getattr(result, name)
    except OSTreeError as error:
        outcome["error"] = str(error)
    if how == "with a thread":
        done.set()
    print(json.dumps([len(children), sum(told), outcome]))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive repository with a delta to ``main``, of three parts with hundreds of objects."""
    here = tmp_path_factory.mktemp("source")
    rng = random.Random(6)
    for number in range(900):
        directory = here / "tree" / str(number % 9)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file{number}").write_bytes(rng.randbytes(2800))
        (directory / f"link{number}").symlink_to(f"file{number}")
    with Repo.create(here / "repo", "archive") as repo:
        with repo.transaction(fsync=False) as txn:
            target = txn.commit(txn.import_directory(here / "tree"))
            txn.set_ref("main", target)
        generate(repo, DeltaName(None, target), DeltaOptions(max_chunk_size=1))
        summary.regenerate(repo)
    return here / "repo"


@pytest.fixture
def server(source: Path) -> Iterator[LyingServer]:
    with LyingServer(source) as running:
        yield running


def pull(path: Path, server: LyingServer, how: str) -> tuple[int, int, dict[str, object]]:
    """Pull into a new repository, and check that it is sound."""
    with Repo.create(path, "bare-user") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
    program = processes.run(PULL, path, how)
    assert program.stderr == ""
    children, told, outcome = json.loads(program.stdout)
    with Repo.open(path) as repo:
        assert repo.fsck().objects > (0 if "error" in outcome else 1000)
        assert ("origin:main" in repo.refs.all()) == ("error" not in outcome)
    assert os.listdir(path / "tmp") in ([], ["cache"])
    return children, told, outcome


def test_as_by_one_process(tmp_path: Path, server: LyingServer) -> None:
    alone = pull(tmp_path / "alone", server, "alone")
    shared = pull(tmp_path / "shared", server, "shared")

    assert alone[:2] == (0, 0)
    assert alone[2]["delta_parts"] == 3
    assert shared[0] == 2
    assert shared[1] > 30
    assert shared[2] == alone[2]


@pytest.mark.parametrize("how", ["killed", "with a thread"])
def test_what_children_cannot_do(tmp_path: Path, server: LyingServer, how: str) -> None:
    alone = pull(tmp_path / "alone", server, "alone")
    pulled = pull(tmp_path / "shared", server, how)

    assert pulled[0] == (2 if how == "killed" else 0)
    assert pulled[2] == alone[2]
