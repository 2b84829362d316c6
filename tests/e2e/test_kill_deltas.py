"""Sudden ends of making and applying deltas: the old state or the new one, and the next try works."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from ostree.formats.delta.name import DeltaName
from ostree.repo.repository import Repo
from ostree.repo.static_delta import storage
from ostree.repo.static_delta.generate import generate
from ostree.repo.static_delta.offline import apply_offline, check_part
from ostree.transfer.options import PullOptions
from ostree.transfer.pull_local import pull_local
from ostree.types import ObjectType
from support import processes

if TYPE_CHECKING:
    from pathlib import Path

GENERATE = """
    import sys
    from ostree.formats.delta.name import DeltaName
    from ostree.repo.repository import Repo
    from ostree.repo.static_delta.generate import generate
    from ostree.repo.static_delta.plan import DeltaOptions
    with Repo.open(sys.argv[1]) as repo:
        print("begin", flush=True)
        while True:
            for size in (0, 32):
                generate(repo, DeltaName.parse(sys.argv[2]), DeltaOptions(max_chunk_size=size))
"""
APPLY = """
    import sys
    from ostree.repo.repository import Repo
    from ostree.repo.static_delta.offline import apply_offline
    with Repo.open(sys.argv[1]) as repo:
        print("begin", flush=True)
        apply_offline(repo, sys.argv[2])
"""
ROUNDS = 5


@pytest.fixture
def source(tmp_path: Path) -> tuple[Path, DeltaName]:
    """A repository with two commits of a few hundred files."""
    rng = random.Random(3)
    tree = tmp_path / "tree"
    tree.mkdir()
    commits = []
    with Repo.create(tmp_path / "source", "archive") as repo:
        for number in range(2):
            for index in range(250):
                data = bytearray(random.Random(index).randbytes(8000))
                data[number : number + 8] = rng.randbytes(8)
                (tree / f"file{index}").write_bytes(data)
            with repo.transaction(fsync=False) as transaction:
                root = transaction.import_directory(tree)
                commits.append(transaction.commit(root, timestamp=number))
    return tmp_path / "source", DeltaName(commits[0], commits[1])


def kill_after(seconds: float, code: str, *arguments: str | Path) -> None:
    process = processes.start(code, *arguments)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "begin\n"
        time.sleep(seconds)
        process.kill()


def test_a_delta_is_whole_or_not_there(source: tuple[Path, DeltaName]) -> None:
    path, name = source
    rng = random.Random(4)

    for _ in range(ROUNDS):
        kill_after(rng.uniform(0.0, 1.5), GENERATE, path, str(name))

        with Repo.open(path) as repo:
            for found in storage.names(repo):
                superblock = storage.load_superblock(repo, found)
                for index, header in enumerate(superblock.parts):
                    check_part(header, storage.read_part(repo, found, index))

    with Repo.open(path) as repo:
        generate(repo, name)
        assert list(storage.names(repo)) == [name]


def test_a_commit_is_complete_or_not_there(tmp_path: Path, source: tuple[Path, DeltaName]) -> None:
    path, name = source
    assert name.source is not None
    with Repo.open(path) as repo:
        generate(repo, name)
    target = tmp_path / "target"
    with Repo.create(target, "bare-user") as repo:
        pull_local(repo, path, [name.source], PullOptions(fsync=False))
    rng = random.Random(5)

    for _ in range(ROUNDS):
        kill_after(rng.uniform(0.0, 0.3), APPLY, target, path / name.directory)

        with Repo.open(target) as repo:
            with repo.transaction():
                pass  # takes up what was staged
            assert not repo.fsck().corrupted

    with Repo.open(target) as repo:
        apply_offline(repo, path / name.directory)
        assert repo.has_object(name.target, ObjectType.COMMIT)
        result = repo.fsck()
        assert (result.corrupted, result.partial) == (False, 0)
