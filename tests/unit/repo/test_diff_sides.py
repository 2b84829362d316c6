"""Comparing revisions and local directories through the repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError, ObjectNotFoundError, OSTreeError, RefNotFoundError
from ostree.repo.diff_sides import common_objects
from ostree.repo.repository import Repo
from ostree.types import Checksum

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "f").write_text("one")
    (tree / "sub" / "g").write_text("two")
    (tree / "l").symlink_to("f")
    return tree


@pytest.fixture
def repo(tmp_path: Path, tree: Path) -> Repo:
    """Ref ``main`` is the tree, ``next`` is it with ``f`` changed."""
    repo = Repo.create(tmp_path / "repo", "archive")
    commit(repo, tree, "main")
    (tree / "f").write_text("longer")
    commit(repo, tree, "next")
    (tree / "f").write_text("one")
    return repo


def commit(repo: Repo, tree: Path, ref: str) -> Checksum:
    with repo.transaction(fsync=False) as txn:
        checksum = txn.commit(txn.import_directory(tree), parent=repo.find(ref))
        txn.set_ref(ref, checksum)
    return checksum


def shown(repo: Repo, old: str | Path, new: str | Path, **options: bool | int) -> list[str]:
    found = repo.diff(old, new, **options)  # type: ignore[arg-type]
    return [f"{change.kind.value} {change.path}" for change in found]


def test_two_revisions(repo: Repo) -> None:
    with repo:
        (change,) = repo.diff("main", "next")

        assert change.path == "/f"
        assert change.old is not None
        assert change.new is not None
        assert (change.old.info().size, change.new.info().size) == (3, 6)


def test_a_revision_and_a_directory(repo: Repo, tree: Path) -> None:
    """Paths are those of the side that has them: relative to the directory where it is local."""
    (tree / "new").mkdir()
    (tree / "new" / "h").write_text("")
    with repo:
        assert shown(repo, "main", tree) == ["A new", "A new/h"]
        assert shown(repo, tree, "next") == ["M f", "D new"]
        assert shown(repo, tree, tree) == []


def test_attributes_and_owners_of_local_files_can_be_left_out(repo: Repo, tree: Path) -> None:
    os.setxattr(tree / "sub" / "g", "user.test", b"1")
    with repo:
        assert shown(repo, "main", tree) == ["M /sub/g"]
        assert shown(repo, "main", tree, with_xattrs=False) == []
        everything = ["M /f", "M /l", "M /sub", "M /sub/g"]
        assert shown(repo, "main", tree, owner_uid=os.geteuid() + 1) == everything
        assert shown(repo, tree, "main", owner_uid=os.geteuid() + 1) == ["M sub/g"]


def test_what_cannot_be_committed_is_compared_by_its_metadata(repo: Repo, tree: Path) -> None:
    os.mkfifo(tree / "pipe", 0o600)
    other = tree.parent / "other"
    other.mkdir()
    os.mkfifo(other / "pipe", 0o644)
    with repo:
        assert shown(repo, "main", tree) == ["A pipe"]
        assert shown(repo, tree, tree) == []
        assert "M pipe" in shown(repo, tree, other)


def test_a_path_longer_than_the_system_takes(repo: Repo, tree: Path) -> None:
    """Directories are entered relative to one another."""
    at = os.open(tree, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=at)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("end", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)
    with repo:
        found = shown(repo, "main", tree)

        assert len(found) == 21
        assert found[-1].endswith("/end")
        assert shown(repo, tree, tree) == []


def test_changes_can_be_asked_after_the_comparison(repo: Repo, tree: Path) -> None:
    (tree / "l").unlink()
    (tree / "l").symlink_to("elsewhere")
    with repo:
        (change,) = list(repo.diff("main", tree))

        assert change.old is not None
        assert change.new is not None
        assert (change.old.info().target, change.new.info().target) == ("f", "elsewhere")


def test_errors_name_what_is_missing(repo: Repo, tree: Path) -> None:
    with repo:
        with pytest.raises(RefNotFoundError, match="Refspec 'nope' not found"):
            shown(repo, "main", "nope")
        absent = tree / "absent"
        text = f"Error when getting information for file “{absent}”: No such file or directory"
        with pytest.raises(OSTreeError, match=text):
            shown(repo, "main", absent)
        with pytest.raises(OSTreeError, match=f"Error opening directory '{tree}/f': Not a dir"):
            shown(repo, "main", tree / "f")
        (tree / "l").unlink()
        os.symlink(b"\xff", tree / "l")
        with pytest.raises(CorruptionError, match="Invalid UTF-8 in symlink target"):
            shown(repo, "main", tree)


def test_objects_in_common(repo: Repo) -> None:
    with repo:
        common = common_objects(repo, repo.resolve("main"), repo.resolve("next"))

        # commit, two dirtrees, one dirmeta, three files; of them all but commit, root, f
        assert (common.old_objects, common.new_objects, common.common_objects) == (7, 7, 4)
        assert common.common_size > 0


def test_the_size_of_an_object_is_asked_of_the_parent_too(tmp_path: Path, repo: Repo) -> None:
    child = Repo.create(tmp_path / "child", "archive")
    keyfile = child.config.keyfile.copy()
    keyfile.set_string("core", "parent", str(tmp_path / "repo"))
    child.save_config(keyfile)
    child.close()
    with repo, Repo.open(tmp_path / "child") as child:
        main = repo.resolve("main")

        assert common_objects(child, main, main).common_objects == 7
        missing = Checksum("0" * 64)
        with pytest.raises(ObjectNotFoundError, match=f"No such metadata object {missing}.commit"):
            common_objects(child, missing, main)
