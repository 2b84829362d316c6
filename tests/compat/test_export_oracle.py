"""Random commits are exported byte for byte as by the reference, but for files that are repeated."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.running import succeed
from ostree.repo.repository import Repo
from ostree.repo.tree import Entry, walk
from ostree.system import archive
from support.trees import Node, materialize, trees

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        not archive.is_available(), reason="libarchive is missing (Debian: libarchive13)"
    ),
]

EXAMPLES = int(os.environ.get("PYOSTREE_RANDOM_TREES", "100"))
Oracle = Callable[..., object]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, oracle: Oracle) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("export")
    oracle("init", f"--repo={base / 'repo'}", "--mode=archive")
    oracle(f"--repo={base / 'repo'}", "config", "set", "core.fsync", "false")
    yield base
    shutil.rmtree(base)


def repeats(repo: Repo, commit: str) -> bool:
    """Whether a regular file with content is there twice: then we write a hard link."""
    seen = set()
    root = Entry("/", tree=repo.load_commit(repo.resolve(commit)).root)
    for entry in walk(repo, root):
        if entry.checksum is not None:
            header, size = repo.load_file_header(entry.checksum)
            if size and not header.is_symlink:
                if entry.checksum in seen:
                    return True
                seen.add(entry.checksum)
    return False


def unpacked(data: bytes, place: Path) -> None:
    place.mkdir()
    subprocess.run(
        ["tar", "-C", place, "-xpf", "-", "--delay-directory-restore"], input=data, check=True
    )


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(tree=trees, prefix=st.sampled_from(["", "p/", "/x", "n" * 60 + "/"]))
def test_random_trees(place: Path, oracle: Oracle, tree: Node, prefix: str) -> None:
    repo = f"--repo={place / 'repo'}"
    argv = [repo, "main", f"--prefix={prefix}", f"--output={place / 'ours.tar'}"]
    materialize(tree, place / "tree")
    try:
        oracle(repo, "commit", "-b", "main", "--timestamp=@12345", f"--tree=dir={place / 'tree'}")

        succeed("export", *argv)

        oracle("export", *argv[:-1], f"--output={place / 'theirs.tar'}")
        ours, theirs = ((place / f"{whose}.tar").read_bytes() for whose in ("ours", "theirs"))
        with Repo.open(place / "repo") as opened:
            if not repeats(opened, "main"):
                assert ours == theirs
                return
        for whose, data in (("ours", ours), ("theirs", theirs)):
            unpacked(data, place / whose)
        argv = ["diff", repo, "--no-xattrs", str(place / "ours"), str(place / "theirs")]
        assert succeed(*argv) == ""
    finally:
        for name in ("tree", "ours", "theirs"):
            shutil.rmtree(place / name, ignore_errors=True)
