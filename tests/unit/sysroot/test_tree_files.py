"""A tree answers the same, checked out or not."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from ostree.repo.repository import Repo
from ostree.sysroot.tree_files import CommitFiles, DirectoryFiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.sysroot.tree_files import TreeFiles


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[TreeFiles, TreeFiles]]:
    tree = tmp_path / "tree"
    (tree / "usr/lib/sub").mkdir(parents=True)
    (tree / "usr/lib/file").write_text("content")
    (tree / "usr/lib/large").write_bytes(b"x" * 3_000_000)
    for name, target in (
        ("lib", "usr/lib"),
        ("absolute", "/usr/lib/file"),
        ("out", "../../usr/lib/file"),
        ("loop", "loop"),
        ("dangling", "nowhere"),
    ):
        (tree / name).symlink_to(target)
    repo = Repo.create(tmp_path / "repo", "bare-user")
    with repo.transaction(fsync=False) as transaction:
        root = transaction.import_directory(tree)
        checksum = transaction.commit(root, timestamp=1)
    fd = os.open(tree, os.O_RDONLY)
    yield DirectoryFiles(fd), CommitFiles(repo.tree(checksum))
    os.close(fd)
    repo.close()


PATHS = (
    *("usr", "usr/lib", "usr/lib/file", "lib", "lib/file", "lib/sub", "absolute", "out"),
    *("loop", "dangling", "nowhere", "usr/lib/file/below", "usr/nowhere/file"),
)


@pytest.mark.parametrize("path", PATHS)
def test_the_same_answers(both: tuple[TreeFiles, TreeFiles], path: str) -> None:
    ours, theirs = both

    for kind in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        assert ours.find(path, kind) == theirs.find(path, kind)
    names, other_names = ours.names(path), theirs.names(path)
    assert names == other_names or sorted(names or ()) == other_names


@pytest.mark.parametrize("path", ["usr", "usr/lib/file", "lib", "loop", "nowhere"])
def test_types_of_what_is_there(both: tuple[TreeFiles, TreeFiles], path: str) -> None:
    assert both[0].kind(path) == both[1].kind(path)


def test_content(both: tuple[TreeFiles, TreeFiles]) -> None:
    for files in both:
        assert b"".join(files.read("usr/lib/large")) == b"x" * 3_000_000
        assert files.size("usr/lib/file") == 7
        assert files.target("lib") == "usr/lib"
