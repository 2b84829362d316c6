"""Trees in memory: lazily read, changed, laid over each other, written where they changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError, NotFoundError, RepoError
from ostree.formats import dirmeta
from ostree.repo.mutable_tree import MutableTree
from ostree.repo.repository import Repo
from ostree.types import Checksum, DirMeta, ObjectType, TreeId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.repo.transaction import Transaction

FILE_A = Checksum("a" * 64)
FILE_B = Checksum("b" * 64)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo", "archive") as opened:
        yield opened


@pytest.fixture
def txn(repo: Repo) -> Iterator[Transaction]:
    with repo.transaction(fsync=False) as transaction:
        yield transaction


def meta(txn: Transaction, mode: int = 0o40755) -> Checksum:
    return txn.write_metadata(ObjectType.DIRMETA, dirmeta.encode(DirMeta(0, 0, mode)))


def build(
    txn: Transaction, *paths: str, mode: int = 0o40755, checksum: Checksum = FILE_A
) -> TreeId:
    """A committed tree with files (or, with a trailing slash, directories) at these paths."""
    root = MutableTree()
    root.dirmeta = meta(txn, mode)
    for path in paths:
        parent, _, name = path.rpartition("/")
        directory = root.ensure_parents(parent, root.dirmeta)
        if name:
            directory.replace_file(name, checksum)
    return root.write(txn)


def listing(repo: Repo, tree: TreeId, path: str = "") -> list[str]:
    contents = repo.load_dirtree(tree.dirtree)
    found = [f"{path}/{name}={checksum[0]}" for name, checksum in contents.files]
    for name, subtree, submeta in contents.dirs:
        found.append(f"{path}/{name}/")
        found += listing(repo, TreeId(subtree, submeta), f"{path}/{name}")
    return found


def test_a_new_tree_is_written_from_the_bottom_up(repo: Repo, txn: Transaction) -> None:
    tree = build(txn, "top", "usr/bin/sh", "usr/empty/")

    assert listing(repo, tree) == ["/top=a", "/usr/", "/usr/bin/", "/usr/bin/sh=a", "/usr/empty/"]


def test_what_is_not_looked_at_is_not_read(repo: Repo, txn: Transaction) -> None:
    """A change in one place keeps the other directories' objects, even if they are missing."""
    tree = build(txn, "usr/bin/sh", "etc/passwd")
    before = repo.load_dirtree(tree.dirtree)
    etc = before.dirs[0][1]
    path = repo.store.path(etc, ObjectType.DIRTREE)

    os.unlink(path, dir_fd=repo.store.objects.fd)

    root = MutableTree.of_tree(repo, tree)
    root.walk("usr/bin").replace_file("sh", FILE_B)
    after = repo.load_dirtree(root.write(txn).dirtree)

    assert after.dirs[0] == before.dirs[0]
    assert after.dirs[1] != before.dirs[1]


def test_an_untouched_tree_writes_nothing(repo: Repo, txn: Transaction) -> None:
    tree = build(txn, "usr/bin/sh", "etc/passwd")
    total = txn.stats.metadata_total

    root = MutableTree.of_tree(repo, tree)
    unread = root.write(txn)
    read = [name for name, _ in root.walk("usr/bin").files()], root.write(txn)

    assert unread == tree
    assert read == (["sh"], tree)
    assert txn.stats.metadata_total == total


def test_a_change_of_metadata_alone_is_written(repo: Repo, txn: Transaction) -> None:
    tree = build(txn, "usr/bin/sh")
    root = MutableTree.of_tree(repo, tree)
    root.walk("usr/bin").dirmeta = meta(txn, 0o40700)

    changed = root.write(txn)

    assert changed != tree
    usr = repo.load_dirtree(repo.load_dirtree(changed.dirtree).dirs[0][1])
    assert usr.dirs[0][2] == meta(txn, 0o40700)


def test_a_tree_can_be_changed_again_after_writing(repo: Repo, txn: Transaction) -> None:
    root = MutableTree.of_tree(repo, build(txn, "usr/bin/sh", "usr/lib/libc"))
    root.walk("usr/bin").replace_file("ls", FILE_B)
    first = root.write(txn)
    assert root.walk("usr").remove("bin")
    assert not root.walk("usr").remove("bin")

    second = root.write(txn)

    assert listing(repo, first) == [
        "/usr/",
        "/usr/bin/",
        "/usr/bin/ls=b",
        "/usr/bin/sh=a",
        "/usr/lib/",
        "/usr/lib/libc=a",
    ]
    assert second == build(txn, "usr/lib/libc")


def test_a_file_never_replaces_a_directory_nor_the_other_way_round(
    repo: Repo, txn: Transaction
) -> None:
    root = MutableTree.of_tree(repo, build(txn, "d/x", "f"))

    with pytest.raises(RepoError, match=r"^Can't replace directory with file: d$"):
        root.replace_file("d", FILE_A)
    with pytest.raises(RepoError, match=r"^Can't replace file with directory: f$"):
        root.ensure_directory("f")
    with pytest.raises(RepoError, match=r"^Can't replace file with directory: f$"):
        root.overlay(repo, build(txn, "f/x"))
    with pytest.raises(RepoError, match=r"^Can't replace directory with file: d$"):
        root.overlay(repo, build(txn, "d"))


@pytest.mark.parametrize("name", [".", "..", "a/b", ""])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(FormatError):
        MutableTree().replace_file(name, FILE_A)
    with pytest.raises(FormatError):
        MutableTree().ensure_directory(name)


def test_an_overlay_merges_and_the_upper_metadata_counts(repo: Repo, txn: Transaction) -> None:
    lower = build(txn, "keep", "both/lower", "same")
    upper = build(txn, "both/upper", "same", "new/x", mode=0o40700, checksum=FILE_B)
    root = MutableTree.of_tree(repo, lower)
    root.overlay(repo, upper)

    tree = root.write(txn)

    assert listing(repo, tree) == [
        "/keep=a",
        "/same=b",
        "/both/",
        "/both/lower=a",
        "/both/upper=b",
        "/new/",
        "/new/x=b",
    ]
    assert tree.dirmeta == upper.dirmeta


def test_an_overlay_on_nothing_is_the_tree_itself(repo: Repo, txn: Transaction) -> None:
    tree = build(txn, "usr/bin/sh")
    root = MutableTree()
    root.overlay(repo, tree)

    assert not root.is_expanded
    assert root.write(txn) == tree


def test_an_overlay_on_the_same_tree_reads_nothing(repo: Repo, txn: Transaction) -> None:
    tree = build(txn, "usr/bin/sh")
    root = MutableTree.of_tree(repo, tree)
    root.overlay(repo, TreeId(tree.dirtree, meta(txn, 0o40700)))

    assert not root.is_expanded
    assert root.dirmeta == meta(txn, 0o40700)


def test_a_directory_without_metadata_cannot_be_written(txn: Transaction) -> None:
    root = MutableTree()
    root.ensure_directory("usr").dirmeta = meta(txn)

    with pytest.raises(RepoError, match=r"^Can't commit an empty tree$"):
        root.write(txn)


def test_looking_up(repo: Repo, txn: Transaction) -> None:
    root = MutableTree.of_tree(repo, build(txn, "usr/bin/sh"))

    assert root.file("usr") is None
    assert root.directory("nope") is None
    assert root.walk("/usr//bin").file("sh") == FILE_A
    assert [name for name, _ in root.directories()] == ["usr"]
    assert not root.is_empty
    assert MutableTree().is_empty
    with pytest.raises(NotFoundError, match=r"^No such file or directory: lib$"):
        root.walk("usr/lib")


def test_very_deep_trees_are_written(repo: Repo, txn: Transaction) -> None:
    """Deeper than Python would follow calls."""
    root = MutableTree()
    root.dirmeta = meta(txn)
    root.ensure_parents("/".join(["d"] * 3000), root.dirmeta).replace_file("f", FILE_A)

    tree = root.write(txn)

    assert len(repo.load_dirtree(tree.dirtree).dirs) == 1
