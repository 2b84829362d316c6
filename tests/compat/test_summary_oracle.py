"""Summaries have the bytes that the reference command gives them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ostree.formats.gvariant import Variant
from ostree.formats.summary import SummaryRef, build, decode, encode
from ostree.types import Checksum

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.oracle

VERSIONS = (None, "42", "1.2é", "")
TIMESTAMPS = (0, 1000, 1700000000, 253402300800, 2**64 - 1)


class Repo:
    """A repository of the reference command with some commits."""

    def __init__(self, oracle: Oracle, path: Path, *options: str) -> None:
        self.path = path
        self.oracle = oracle
        self.oracle("init", f"--repo={path}", "--mode=archive", *options)
        (path / "tmp" / "empty").mkdir()

    def run(self, command: str, *arguments: str) -> str:
        return self.oracle(command, f"--repo={self.path}", *arguments).stdout.strip()

    def commit(self, timestamp: int, version: str | None) -> str:
        options = [] if version is None else [f"--add-metadata-string=version={version}"]
        if timestamp >= 2**63:
            timestamp -= 2**64
        tree = f"--tree=dir={self.path}/tmp/empty"
        return self.run("commit", "--orphan", f"--timestamp=@{timestamp}", tree, *options)

    def ref(self, name: str, checksum: str, timestamp: int, version: str | None) -> SummaryRef:
        size = (self.path / f"objects/{checksum[:2]}/{checksum[2:]}.commit").stat().st_size
        return SummaryRef.of_commit(
            name, Checksum(checksum), size, timestamp=timestamp, version=version
        )

    def update(self, *options: str) -> bytes:
        self.run("summary", "-u", *options)
        return (self.path / "summary").read_bytes()


@pytest.mark.parametrize("seed", range(4))
def test_random_sets_of_refs(oracle: Oracle, tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    repo = Repo(oracle, tmp_path / "repo")
    commits = [
        (repo.commit(timestamp, version), timestamp, version)
        for timestamp, version in chosen.sample(
            [(timestamp, version) for timestamp in TIMESTAMPS for version in VERSIONS], 5
        )
    ]
    refs = []
    for number in range(chosen.randrange(1, 15)):
        name = "".join(chosen.choices("abZ_é", k=3)) + chosen.choice(["", "/x", "-y", ".z"])
        commit = chosen.choice(commits)
        (repo.path / "refs/heads" / f"{number}{name}").parent.mkdir(exist_ok=True)
        (repo.path / "refs/heads" / f"{number}{name}").write_text(f"{commit[0]}\n")
        refs.append(repo.ref(f"{number}{name}", *commit))

    theirs = repo.update()
    modified = decode(theirs).last_modified or 0
    ours = build(refs, mode="archive-z2", last_modified=modified)

    assert encode(ours) == theirs


def test_collections_and_keys_of_the_user(oracle: Oracle, tmp_path: Path) -> None:
    repo = Repo(oracle, tmp_path / "repo", "--collection-id=org.example.Os")
    commit = repo.commit(1000, "42"), 1000, "42"
    repo.run("refs", "--create=main", commit[0])
    for name in ("org.zz.D:foo", "org.aa.D:b/foo", "org.aa.D:a"):
        repo.run("refs", "-c", f"--create={name}", "main")

    theirs = repo.update(
        *("-m", "b=uint32 5", "-m", "a='x'", "-m", "ostree.summary.mode='no'", "-m", "b=<7>")
    )
    read = decode(theirs)
    own = read.find("ostree-metadata")
    assert own is not None
    ours = build(
        [repo.ref("main", *commit), own],
        mode="archive-z2",
        last_modified=read.last_modified or 0,
        collection_id="org.example.Os",
        collection_map={
            "org.zz.D": [repo.ref("foo", *commit)],
            "org.aa.D": [repo.ref("b/foo", *commit), repo.ref("a", *commit)],
        },
        extra=[
            ("b", Variant("u", 5)),
            ("a", Variant("s", "x")),
            ("ostree.summary.mode", Variant("s", "no")),
            ("b", Variant("v", Variant("i", 7))),
        ],
    )

    assert encode(ours) == theirs


def test_static_deltas_and_tombstones(oracle: Oracle, tmp_path: Path) -> None:
    repo = Repo(oracle, tmp_path / "repo")
    commit = repo.commit(1000, None), 1000, None
    repo.run("refs", "--create=main", commit[0])
    repo.run("config", "set", "core.tombstone-commits", "true")
    repo.run("static-delta", "generate", "--empty", "main")

    theirs = repo.update()
    read = decode(theirs)
    deltas = read.static_deltas
    assert deltas is not None
    assert list(deltas) == [commit[0]]
    ours = build(
        [repo.ref("main", *commit)],
        mode="archive-z2",
        last_modified=read.last_modified or 0,
        tombstone_commits=True,
        static_deltas=deltas,
    )

    assert encode(ours) == theirs


def test_a_summary_built_here_is_read_by_the_reference(oracle: Oracle, tmp_path: Path) -> None:
    repo = Repo(oracle, tmp_path / "repo")
    commit = repo.commit(1000, "42"), 1000, "42"
    summary = build([repo.ref("main", *commit)], mode="bare", last_modified=1700000000)
    (repo.path / "summary").write_bytes(encode(summary))

    shown = repo.run("summary", "-v")

    assert commit[0] in shown
    assert "Version (ostree.commit.version): 42" in shown
    assert "Last-Modified (ostree.summary.last-modified): 2023-11-14T22:13:20+00" in shown
