"""Opening files for clients."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import NotFoundError
from ostree.server.served_tree import ServedTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def make_repository(path: Path) -> None:
    for name in ("objects/ab", "refs/heads/os", "deltas", "tmp", "state"):
        (path / name).mkdir(parents=True)
    for name in ("config", "summary", ".lock", "objects/ab/cd.filez", "refs/heads/os/main"):
        (path / name).write_text(name)
    (path / "tmp" / "secret").write_text("secret")
    (path / "remote.cookies.txt").write_text("secret")


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[ServedTree]:
    """A web root with two repositories, one of them deep down."""
    root = tmp_path / "www"
    make_repository(root / "repo")
    make_repository(root / "deep" / "down" / "repo")
    make_repository(root / ".hidden")
    (root / "plain").mkdir()
    (root / "plain" / "config").write_text("no repository")
    (root / "config").write_text("no repository either")
    (tmp_path / "secret").write_text("secret")
    served = ServedTree(root)
    yield served
    served.close()


def read(tree: ServedTree, path: str) -> str | None:
    descriptor = tree.open([part.encode() for part in path.split("/")])
    if descriptor is None:
        return None
    with os.fdopen(descriptor) as file:
        return file.read()


def test_repositories_are_found_at_any_depth(tree: ServedTree) -> None:
    assert read(tree, "repo/config") == "config"
    assert read(tree, "repo/objects/ab/cd.filez") == "objects/ab/cd.filez"
    assert read(tree, "deep/down/repo/refs/heads/os/main") == "refs/heads/os/main"


def test_the_root_may_be_a_repository(tmp_path: Path) -> None:
    make_repository(tmp_path)
    tree = ServedTree(tmp_path)

    assert read(tree, "summary") == "summary"
    assert read(tree, "tmp/secret") is None
    tree.close()


@pytest.mark.parametrize(
    "path",
    [
        "config",
        "plain/config",
        ".hidden/config",
        "repo",
        "repo/objects",
        "repo/objects/ab",
        "repo/.lock",
        "repo/tmp/secret",
        "repo/remote.cookies.txt",
        "repo/objects/ab/absent",
        "repo/objects/ab/cd.filez/x",
        "repo/summary.sig",
        "absent/config",
        "repo/objects/" + "x" * 300,
        "../secret",
        "repo/objects/../tmp/secret",
    ],
)
def test_all_else_is_not_there(tree: ServedTree, path: str) -> None:
    assert read(tree, path) is None


def test_symbolic_links_are_not_followed(tree: ServedTree, tmp_path: Path) -> None:
    root = tmp_path / "www"
    (root / "repo" / "objects" / "ab" / "link.file").symlink_to(tmp_path / "secret")
    (root / "repo" / "objects" / "inner.file").symlink_to("ab/cd.filez")
    (root / "repo" / "objects" / "out").symlink_to(tmp_path)
    (root / "repo" / "deltas" / "loop").symlink_to("loop")
    (root / "alias").symlink_to("repo")

    assert read(tree, "repo/objects/ab/link.file") is None
    assert read(tree, "repo/objects/inner.file") is None
    assert read(tree, "repo/objects/out/secret") is None
    assert read(tree, "repo/deltas/loop") is None
    assert read(tree, "alias/config") is None


def test_a_repository_made_of_links_is_none(tree: ServedTree, tmp_path: Path) -> None:
    fake = tmp_path / "www" / "fake"
    fake.mkdir()
    (fake / "config").symlink_to(tmp_path / "secret")
    (fake / "objects").mkdir()

    assert read(tree, "fake/config") is None


def test_only_regular_files_are_opened_and_without_waiting(
    tree: ServedTree, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "www" / "repo" / "objects" / "fifo")

    assert read(tree, "repo/objects/fifo") is None


def test_no_descriptor_is_left_behind(tree: ServedTree) -> None:
    before = len(os.listdir("/proc/self/fd"))

    for path in ("repo/config", "deep/down/repo/refs/heads/os/main", "repo/x", "a/b", "repo"):
        read(tree, path)

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"opening .*absent: No such file or directory"):
        ServedTree(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(NotFoundError, match="Not a directory"):
        ServedTree(tmp_path / "file")
