"""Counting what is in a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import ObjectNotFoundError
from ostree.formats import dirmeta, dirtree
from ostree.repo.repository import Repo
from ostree.repo.tree import count_files
from ostree.types import Checksum, DirMeta, ObjectType, TreeId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = Checksum("1" * 64)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo", "archive") as repo:
        yield repo


def put(repo: Repo, files: list[str], dirs: dict[str, TreeId] | None = None) -> TreeId:
    """A directory of files that need not be there."""
    below = [(name, tree.dirtree, tree.dirmeta) for name, tree in (dirs or {}).items()]
    data = dirtree.encode(dirtree.DirTree([(name, FILE) for name in files], below))
    with repo.transaction(fsync=False) as txn:
        return TreeId(
            txn.write_metadata(ObjectType.DIRTREE, data),
            txn.write_metadata(ObjectType.DIRMETA, dirmeta.encode(DirMeta(0, 0, 0o040755))),
        )


def test_files_are_counted_wherever_they_are(repo: Repo) -> None:
    below = put(repo, ["a", "b"])
    root = put(repo, ["c"], {"x": below, "y": put(repo, [], {"z": below})})

    assert count_files(repo, put(repo, [])) == 0
    assert count_files(repo, below) == 2
    assert count_files(repo, root) == 5


def test_what_repeats_is_read_once(repo: Repo) -> None:
    """Sixty levels of the same directory twice are more files than could ever be visited."""
    tree = put(repo, ["f"])
    for _ in range(60):
        tree = put(repo, [], {"a": tree, "b": tree})

    assert count_files(repo, tree) == 2**60


def test_a_directory_that_contains_itself_ends(repo: Repo) -> None:
    """Nobody can make one honestly; a damaged repository may have one."""
    name = Checksum("2" * 64)
    data = dirtree.encode(dirtree.DirTree([("f", FILE)], [("again", name, name)]))
    repo.store.put_metadata(name, ObjectType.DIRTREE, data)

    assert count_files(repo, TreeId(name, name)) == 1


def test_a_missing_directory_is_an_error(repo: Repo) -> None:
    with pytest.raises(ObjectNotFoundError):
        count_files(repo, TreeId(FILE, FILE))
