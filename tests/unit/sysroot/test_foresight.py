"""What a commit will take as a deployment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.repo.repository import Repo
from ostree.sysroot.foresight import Foresight
from ostree.sysroot.room import Room

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 4096


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for name, size in (("usr/bin/a", 5000), ("usr/etc/b", 5000), ("usr/etc/sub/c", 1)):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(os.urandom(size))
    # The same directory twice.
    for name in ("one", "two"):
        (tree / "usr/share" / name / "deep").mkdir(parents=True)
    return tree


def need(tree: Path, mode: str) -> Room:
    with Repo.create(tree.parent / mode, mode) as repo:
        with repo.transaction(fsync=False) as transaction:
            checksum = transaction.commit(transaction.import_directory(tree), timestamp=1)
        return Foresight(repo, checksum, device_trees=True).checkout_need(BLOCK)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="files in a bare repository belong to root")
def test_directories_and_copies_of_etc(tree: Path) -> None:
    """Ten directories, two of them again in /etc, and two files there."""
    assert need(tree, "bare") == Room((12 + 2 + 1) * BLOCK, 12 + 2)


def test_without_hard_links(tree: Path) -> None:
    assert need(tree, "archive") == Room((12 + 3 + 5) * BLOCK, 12 + 3 + 2)


def test_large_directories(tree: Path) -> None:
    for number in range(200):
        (tree / "usr/share" / f"{number:0100}").mkdir()

    size, files = need(tree, "archive")

    assert files == 12 + 3 + 2 + 200
    assert size > (12 + 3 + 5 + 200 + 3) * BLOCK
