"""Pulls whose files are fetched by several processes end as those of one do."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ostree.repo.repository import Repo
from ostree.types import ObjectType
from simulator.lying_server import Content, Lie, LyingServer, Reset, Silence, Status, Truncated
from support import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.lying_server import Handler

FILES = 450
#: The program is told how it is to pull, and prints what has come of it.
PULL = """
    import json, os, signal, sys, threading
    from ostree.errors import OSTreeError
    from ostree.net.fetcher import FetcherOptions
    from ostree.repo.repository import Repo
    from ostree.transfer import content_processes
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
    content_processes.default_workers = lambda: 1 if how == "alone" else 3
    told, settle = [], content_processes.ContentProcesses._settle
    def tell(self, batch, reply):
        before = self._result.content
        settle(self, batch, reply)
        told.append(self._result.content - before)
    content_processes.ContentProcesses._settle = tell
    in_child = FetcherOptions.in_child
    def marked(self, most):
        options = in_child(self, most)
        options.headers = [*options.headers, ("X-Child", str(os.getpid()))]
        return options
    FetcherOptions.in_child = marked
    options = PullOptions(http_headers=[("X-Test", "yes")], network_retries=1, low_speed_time=0)
    outcome = {}
    try:
        with Repo.open(path) as repo:
            result = pull(repo, "origin", ["main"], options)
        for name in ("content", "metadata", "bytes_transferred", "content_bytes_written"):
            outcome[name] = getattr(result, name)
    except OSTreeError as error:
        outcome["error"] = str(error)
    if how == "with a thread":
        done.set()
    print(json.dumps([len(children), sum(told), outcome]))
"""


class Pulled(NamedTuple):
    """What a pull says: processes it started, objects these have stored, its result or error."""

    children: int
    shared: int
    outcome: dict[str, object]


class ToChildren(Lie):
    """Tells a lie to those who are not the first process, some times."""

    def __init__(self, lie: Lie, times: int) -> None:
        self.lie = lie
        self.times = times
        self._lock = threading.Lock()

    def tell(self, handler: Handler) -> None:
        with self._lock:
            lies = "X-Child" in handler.headers and self.times > 0
            self.times -= lies
        if lies:
            self.lie.tell(handler)
        else:
            handler.answer(200, handler.truth)


class SilentToChildren(Lie):
    """Never answers those who are not the first process, which lacks files from then on."""

    def __init__(self) -> None:
        self._is_silent = threading.Event()

    def tell(self, handler: Handler) -> None:
        if "X-Child" in handler.headers:
            self._is_silent.set()
            Silence().tell(handler)
        elif self._is_silent.is_set():
            handler.answer(404, b"")
        else:
            handler.answer(200, handler.truth)


class Crowd(Lie):
    """Serves the file, and notes how many requests are being answered."""

    def __init__(self) -> None:
        self.most = self._present = 0
        self._lock = threading.Lock()

    def tell(self, handler: Handler) -> None:
        with self._lock:
            self._present += 1
            self.most = max(self.most, self._present)
        handler.server.stopping.wait(0.001)
        with self._lock:
            self._present -= 1
        handler.answer(200, handler.truth)


class Cookie(Lie):
    """Serves the file, and a cookie."""

    def tell(self, handler: Handler) -> None:
        handler.answer(200, handler.truth, (("Set-Cookie", "session=open; Path=/"),))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive repository with some hundred files on ``main``, of which two are large."""
    here = tmp_path_factory.mktemp("source")
    for number in range(FILES):
        directory = here / "tree" / str(number % 9)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file{number}").write_bytes(b"%d" % number * number)
    (here / "tree/link").symlink_to("large")
    for name in ("large", "larger"):
        (here / "tree" / name).write_bytes(os.urandom(2_000_000))
    with Repo.create(here / "repo", "archive") as repo, repo.transaction(fsync=False) as txn:
        txn.set_ref("main", txn.commit(txn.import_directory(here / "tree")))
    return here / "repo"


@pytest.fixture
def server(source: Path) -> Iterator[LyingServer]:
    with LyingServer(source) as running:
        yield running


def pull(path: Path, server: LyingServer, how: str, mode: str = "bare-user") -> Pulled:
    """Pull into a new repository, and check that it is sound."""
    with Repo.create(path, mode) as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        keyfile = repo.config.keyfile.copy()
        keyfile.set_string("core", "fsync", "false")
        repo.save_config(keyfile)
    program = processes.run(PULL, path, how)
    assert program.stderr == ""
    pulled = Pulled(*json.loads(program.stdout))
    with Repo.open(path) as repo:
        assert not repo.fsck().corrupted
        assert ("origin:main" in repo.refs.all()) == ("error" not in pulled.outcome)
    assert os.listdir(path / "tmp") in ([], ["cache"])
    return pulled


@pytest.mark.parametrize("mode", ["bare-user", "archive"])
def test_as_by_one_process(tmp_path: Path, server: LyingServer, mode: str) -> None:
    alone = pull(tmp_path / "alone", server, "alone", mode)
    requests = len(server.paths())
    shared = pull(tmp_path / "shared", server, "shared", mode)

    assert (alone.children, alone.shared) == (0, 0)
    assert shared.children == 2
    assert shared.shared > 50
    assert shared.outcome == alone.outcome
    assert len(server.paths()) == 2 * requests  # nothing was asked for twice
    assert all(request.headers["x-test"] == "yes" for request in server.requests)


@pytest.mark.parametrize("how", ["killed", "with a thread"])
def test_what_children_cannot_do(tmp_path: Path, server: LyingServer, how: str) -> None:
    alone = pull(tmp_path / "alone", server, "alone")
    pulled = pull(tmp_path / "shared", server, how)

    assert pulled.children == (2 if how == "killed" else 0)
    for name in ("content", "metadata", "bytes_transferred"):
        assert pulled.outcome[name] == alone.outcome[name]


@pytest.mark.parametrize(
    "lie", [Status(404), Content(b"\0\0\0\x04wrong"), Truncated(20)], ids=["404", "wrong", "short"]
)
def test_the_same_errors(tmp_path: Path, source: Path, server: LyingServer, lie: Lie) -> None:
    with Repo.open(source) as repo:
        last = max(repo.store.objects_of(ObjectType.FILE))
    server.lie(f"/objects/{last[:2]}/{last[2:]}.filez", lie)

    alone = pull(tmp_path / "alone", server, "alone")
    shared = pull(tmp_path / "shared", server, "shared")

    assert alone.outcome.keys() == {"error"}
    assert shared.outcome == alone.outcome


@pytest.mark.parametrize(
    "lie", [Status(500), Status(404), Truncated(20), Reset()], ids=["500", "404", "short", "reset"]
)
def test_a_server_in_trouble_for_a_moment(tmp_path: Path, server: LyingServer, lie: Lie) -> None:
    """A child that meets it leaves its objects to the parent, which tries again."""
    alone = pull(tmp_path / "alone", server, "alone")
    lies = ToChildren(lie, times=2)
    server.lie("/objects/*.filez", lies)

    shared = pull(tmp_path / "shared", server, "shared")

    assert shared.children == 2
    assert shared.outcome == alone.outcome
    assert lies.times == 0


def test_a_server_that_does_not_talk_to_children(tmp_path: Path, server: LyingServer) -> None:
    alone = pull(tmp_path / "alone", server, "alone")
    server.lie("/objects/*.filez", ToChildren(Status(429), times=1 << 30))

    pulled = pull(tmp_path / "shared", server, "shared")

    assert pulled == Pulled(2, 0, alone.outcome)
    told = [request for request in server.requests if "x-child" in request.headers]
    assert 0 < len(told) < 200  # they are not asked again and again


def test_children_that_wait_for_a_silent_server(tmp_path: Path, server: LyingServer) -> None:
    """They do not hold up the end of a pull that has failed, although they would wait for ever."""
    server.lie("/objects/*.filez", SilentToChildren())

    pulled = pull(tmp_path / "shared", server, "shared")

    assert pulled.children == 2
    assert "Server returned HTTP 404" in str(pulled.outcome["error"])


def test_children_have_the_cookies(tmp_path: Path, server: LyingServer) -> None:
    server.lie("/refs/heads/main", Cookie())

    pulled = pull(tmp_path / "shared", server, "shared")

    assert pulled.shared > 0
    files = [request for request in server.requests if request.path.endswith(".filez")]
    assert all(request.headers.get("cookie") == "session=open" for request in files)


def test_no_more_requests_at_a_time(tmp_path: Path, server: LyingServer) -> None:
    """All processes together have no more requests under way than one would have."""
    crowd = Crowd()
    server.lie("/objects/*.filez", crowd)

    pulled = pull(tmp_path / "shared", server, "shared")

    assert pulled.shared > 0
    assert 2 < crowd.most <= 8
