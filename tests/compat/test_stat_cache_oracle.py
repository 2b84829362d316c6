"""With the stat cache commits are the reference's, and the reference leaves the cache alone."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from cli.running import succeed
from ostree.repo import stat_cache
from support.memory import in_memory

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

pytestmark = pytest.mark.oracle

_KEY = "core.pyostree-stat-cache"
_COMMIT = ("commit", "--branch=main", "--parent=none", "--timestamp=@1")


@pytest.mark.parametrize(
    "options", [(), ("--owner-uid=3",), ("--canonical-permissions",), ("--no-xattrs",)]
)
def test_commits_are_the_reference_s(
    tmp_path: Path, oracle: Oracle, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Known to the repository by configuration; the reference reads everything, in its own."""
    monkeypatch.setattr(stat_cache, "_RACY", 50_000_000)
    with in_memory(tmp_path) as place:
        tree, ours, theirs = place / "tree", place / "ours", place / "theirs"
        tree.mkdir()
        for number in range(5):
            (tree / f"file{number}").write_text(f"{number}")
        for repo in (ours, theirs):
            oracle("init", f"--repo={repo}", "--mode=archive")
        succeed("config", f"--repo={ours}", "set", _KEY, "true")
        hits = []
        for number in range(4):
            time.sleep(0.08)
            committed = succeed(*_COMMIT, *options, "--table-output", f"--repo={ours}", tree)
            table = dict(line.split(": ") for line in committed.splitlines())
            hits.append(int(table["Content Cache Hits"]))
            made = oracle(*_COMMIT, *options, f"--repo={theirs}", tree).stdout.strip()
            assert table["Commit"] == made
            info = (tree / f"file{number}").stat()
            (tree / f"file{number}").write_text("x")
            os.utime(tree / f"file{number}", ns=(info.st_mtime_ns, info.st_mtime_ns))

    assert hits == [0, 4, 4, 4]


def test_the_reference_leaves_it_alone(tmp_path: Path, oracle: Oracle) -> None:
    """It knows neither the key nor the file, and removes nothing that is in tmp/cache."""
    repo, tree = tmp_path / "repo", tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_text("text")
    oracle("init", f"--repo={repo}", "--mode=archive")
    oracle("config", f"--repo={repo}", "set", _KEY, "true")
    oracle("config", f"--repo={repo}", "set", "core.tmp-expiry-secs", "0")
    cache = repo / stat_cache.DIRECTORY / stat_cache.NAME
    cache.parent.mkdir(exist_ok=True)
    cache.write_bytes(b"a cache")
    (repo / "tmp/other").write_bytes(b"old")
    for path in (cache, cache.parent, repo / "tmp/other"):
        os.utime(path, (1, 1))

    oracle(*_COMMIT, f"--repo={repo}", tree)
    oracle("prune", f"--repo={repo}", "--refs-only")
    oracle("fsck", f"--repo={repo}")

    assert not (repo / "tmp/other").exists()
    assert cache.read_bytes() == b"a cache"
    assert oracle("config", f"--repo={repo}", "get", _KEY).stdout == "true\n"
