"""Summaries are asked for again only by their validators, and a copy is never believed for long."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import NotFoundError, SignatureError
from ostree.repo.repository import Repo
from ostree.transfer.connection import connect
from ostree.transfer.options import PullOptions
from ostree.transfer.remote import access
from ostree.transfer.remote_summary import RemoteSummary, fetch_summary, open_cache
from simulator.lying_server import LyingServer, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Verify = Callable[[RemoteSummary | None], None]


class Signed:
    """A served directory with a summary and a signature, which here is the summary's length."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.time = 1_000_000_000

    def publish(self, summary: bytes, signature: bytes | None = None) -> None:
        """Put both in place, as of a later time."""
        self.put("summary", summary)
        self.put("summary.sig", signature or b"%d" % len(summary))

    def put(self, name: str, data: bytes) -> None:
        self.time += 10
        (self.path / name).write_bytes(data)
        os.utime(self.path / name, (self.time, self.time))


def verify(found: RemoteSummary | None) -> None:
    """Stands for the verification of signatures."""
    if found is None or found.signature != b"%d" % len(found.data):
        raise SignatureError("bad signature")


@pytest.fixture
def served(tmp_path: Path) -> Signed:
    (tmp_path / "served").mkdir()
    served = Signed(tmp_path / "served")
    served.publish(b"one")
    return served


@pytest.fixture
def server(served: Signed) -> Iterator[LyingServer]:
    with LyingServer(served.path) as running:
        yield running


@pytest.fixture
def repo(tmp_path: Path, server: LyingServer) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo", "archive") as repo:
        repo.remotes.add("far", [("url", server.url)])
        yield repo


def fetch(repo: Repo, check: Verify | None = None, **options: object) -> RemoteSummary | None:
    """The summary of the remote, with the cache as the options say."""
    chosen = PullOptions(network_retries=0, **options)  # type: ignore[arg-type]
    remote = repo.remotes.get("far")
    source = access(remote, chosen)
    cache = open_cache(repo, source, chosen)
    with connect(repo, remote, source, chosen) as (found, fetcher):
        return fetch_summary(
            fetcher,
            found,
            cache=cache,
            verify=check,
            fail_on_stale_cache=chosen.fail_on_stale_cache,
        )


def data(repo: Repo, check: Verify | None = None) -> bytes:
    """The bytes of the summary."""
    found = fetch(repo, check)
    assert found is not None
    return found.data


def cached(repo: Repo) -> list[str]:
    """The files of the cache."""
    try:
        return sorted(os.listdir(f"{repo.path}/tmp/cache/summaries"))
    except FileNotFoundError:
        return []


def test_the_second_time_one_conditional_request_is_enough(repo: Repo, server: LyingServer) -> None:
    data(repo)
    before = len(server.requests)

    assert data(repo) == b"one"

    (request,) = server.requests[before:]
    assert request.path == "/summary.sig"
    assert request.headers["if-none-match"].startswith('"')
    assert request.headers["if-modified-since"] == "Sun, 09 Sep 2001 01:47:00 GMT"


def test_a_new_summary_is_fetched_and_kept(repo: Repo, served: Signed) -> None:
    data(repo)
    served.publish(b"second")

    assert data(repo, verify) == b"second"
    assert fetch(repo, verify).is_cached  # type: ignore[union-attr]


def test_the_same_signature_stands_for_the_copy(
    repo: Repo, served: Signed, server: LyingServer
) -> None:
    """A server between two publications: the old signature with the new summary."""
    data(repo)
    served.put("summary", b"second")
    served.put("summary.sig", b"3")

    assert data(repo, verify) == b"one"
    assert server.paths().count("/summary") == 1


def test_what_nobody_signed_is_not_kept(repo: Repo, served: Signed) -> None:
    (served.path / "summary.sig").unlink()

    assert data(repo) == b"one"

    assert cached(repo) == []


def test_what_is_badly_signed_is_neither_used_nor_kept(repo: Repo, served: Signed) -> None:
    served.publish(b"evil", b"3")

    with pytest.raises(SignatureError):
        fetch(repo, verify)

    assert cached(repo) == []


def test_a_damaged_copy_is_fetched_again(repo: Repo) -> None:
    data(repo)
    copy = f"{repo.path}/tmp/cache/summaries/far"
    with open(copy, "wb") as file:
        file.write(b"damaged")

    with pytest.raises(SignatureError, match="OSTREE_REPO_TEST_ERROR_INVALID_CACHE"):
        fetch(repo, verify, fail_on_stale_cache=True)
    assert data(repo, verify) == b"one"

    with open(copy, "rb") as file:
        assert file.read() == b"one"


def test_a_copy_that_the_server_calls_current_wrongly_is_fetched_again(
    repo: Repo, served: Signed, server: LyingServer
) -> None:
    data(repo)
    served.publish(b"second")
    server.lie("/summary", Status(304), times=1)

    assert data(repo, verify) == b"second"


def test_a_signature_whose_copy_is_lost_gets_one_again(repo: Repo) -> None:
    data(repo)
    os.unlink(f"{repo.path}/tmp/cache/summaries/far")

    assert data(repo, verify) == b"one"

    assert cached(repo) == ["far", "far.sig"]


def test_a_server_without_summary(repo: Repo, served: Signed) -> None:
    for name in ("summary", "summary.sig"):
        (served.path / name).unlink()

    assert fetch(repo) is None


def test_the_cache_can_be_elsewhere_or_off(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()

    fetch(repo, cache_dir=str(tmp_path / "elsewhere"))
    fetch(repo, use_cache=False)

    assert cached(repo) == []
    assert sorted(os.listdir(tmp_path / "elsewhere/summaries")) == ["far", "far.sig"]
    with pytest.raises(NotFoundError, match=r"opendir\(/nope\): No such file"):
        fetch(repo, cache_dir="/nope")
