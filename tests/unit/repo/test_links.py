"""Files that are links to objects, and directories that are consumed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import RepoError
from ostree.repo import content_import
from ostree.repo.checkout_options import CheckoutOptions
from ostree.repo.consume import ConsumedTree
from ostree.repo.devino import Links, known_inodes
from ostree.repo.modifier import Modifier
from ostree.repo.mutable_tree import MutableTree
from ostree.repo.repository import Repo
from ostree.system import files
from support.vectors import make_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.repo.object_writer import TransactionStats
    from ostree.types import TreeId


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo", "bare-user") as opened:
        yield opened


@pytest.fixture
def out(repo: Repo, tmp_path: Path) -> Path:
    """A checkout of tree T, by links."""
    make_tree(tmp_path / "tree")
    with repo.transaction(fsync=False) as txn:
        checksum = txn.commit(txn.import_directory(tmp_path / "tree"), timestamp=1)
        txn.set_ref("main", checksum)
    repo.checkout("main", tmp_path / "out", options=CheckoutOptions(user_mode=True))
    return tmp_path / "out"


def add(
    repo: Repo, path: Path, links: Links, modifier: Modifier | None = None
) -> tuple[TreeId, TransactionStats]:
    tree = MutableTree()
    with repo.transaction(fsync=False) as txn:
        txn.add_directory(tree, path, links=links, modifier=modifier)
        return tree.write(txn), txn.stats


def test_every_object_is_known_by_its_inode(repo: Repo, out: Path) -> None:
    known = known_inodes(repo)
    info = (out / "hello.txt").stat()

    assert (info.st_dev, info.st_ino) in known
    assert len(known) == len(list((out.parent / "repo/objects").glob("*/*.file")))


def test_what_is_no_object_is_not_known(repo: Repo, out: Path) -> None:
    objects = out.parent / "repo/objects"
    before = len(known_inodes(repo))
    (objects / "zz").mkdir()
    (objects / "zz/x.file").touch()
    (objects / "odd").mkdir()
    next(objects.glob("??")).joinpath("short.file").touch()

    assert len(known_inodes(repo)) == before


def test_objects_of_parents_are_known(repo: Repo, out: Path, tmp_path: Path) -> None:
    with Repo.create(tmp_path / "child", "bare-user") as child:
        keyfile = child.config.keyfile.copy()
        keyfile.set_string("core", "parent", str(tmp_path / "repo"))
        child.save_config(keyfile)

    with Repo.open(tmp_path / "child") as child:
        info = (out / "hello.txt").stat()
        assert known_inodes(child) == known_inodes(repo)
        assert (info.st_dev, info.st_ino) in known_inodes(child)


def test_the_metadata_of_a_link_is_the_objects(
    repo: Repo, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Owner and attributes come from the object, not from the inode; its content is not hashed."""
    modifier = Modifier(filter=lambda _path, uid, gid, mode: (uid, gid, mode))
    hashed: list[object] = []
    monkeypatch.setattr(content_import, "import_loaded", lambda *args: hashed.append(args))

    _, compared = add(repo, out / "sub", Links.COMPARE, modifier)
    _, trusted = add(repo, out / "sub", Links.TRUST)

    assert (compared.content_cache_hits, compared.content_total) == (2, 0)
    assert (trusted.content_cache_hits, trusted.content_total) == (2, 0)
    assert hashed == []


def test_a_link_that_is_changed_is_stored_anew(repo: Repo, out: Path) -> None:
    modifier = Modifier(add_modes={"/xa": 0o2}, skip=["/big.txt"])

    tree, stats = add(repo, out / "sub", Links.COMPARE, modifier)

    (name, checksum), *rest = repo.load_dirtree(tree.dirtree).files
    header, _ = repo.load_file_header(checksum)
    assert (name, rest) == ("xa", [])
    assert (header.mode & 0o777, len(header.xattrs)) == (0o646, 2)
    assert (stats.content_written, stats.content_cache_hits) == (1, 0)


def test_links_are_recognised_where_the_repository_does_without_attributes(
    repo: Repo, out: Path
) -> None:
    keyfile = repo.config.keyfile.copy()
    keyfile.set_string("core", "disable-xattrs", "true")
    repo.save_config(keyfile)

    _, stats = add(repo, out / "sub", Links.COMPARE)

    assert (stats.content_cache_hits, stats.content_total) == (2, 0)


# consuming --------------------------------------------------------------------------------------


def consumed(path: Path) -> ConsumedTree:
    fd = files.open_directory(path)
    try:
        return ConsumedTree(str(path), fd)
    finally:
        os.close(fd)


@pytest.fixture
def doomed(tmp_path: Path) -> Path:
    (tmp_path / "doomed/sub/skipped/deep").mkdir(parents=True)
    (tmp_path / "doomed/sub/file").touch()
    (tmp_path / "doomed/link").symlink_to("sub")
    return tmp_path / "doomed"


def test_what_was_noted_is_removed(doomed: Path) -> None:
    tree = consumed(doomed)
    tree.add("", ["link"])
    tree.add("sub", ["file"])
    tree.add("sub", ["skipped"])

    tree.remove()

    assert not doomed.exists()


def test_what_was_not_noted_stays_and_is_an_error(doomed: Path) -> None:
    """Nobody has committed it."""
    tree = consumed(doomed)
    tree.add("", ["link"])
    tree.add("sub", ["file"])

    with pytest.raises(RepoError, match=r"^unlinkat\(.*\): Directory not empty$"):
        tree.remove()

    assert (doomed / "sub/skipped/deep").is_dir()


def test_a_directory_that_was_replaced_is_left_alone(doomed: Path, tmp_path: Path) -> None:
    tree = consumed(doomed)
    tree.add("sub", ["file"])
    doomed.rename(tmp_path / "moved")
    (doomed / "sub").mkdir(parents=True)
    (doomed / "sub/file").touch()

    with pytest.raises(RepoError, match="was replaced while it was committed"):
        tree.remove()

    assert (doomed / "sub/file").exists()
    assert (tmp_path / "moved/sub/file").exists()


def test_what_has_gone_already_is_no_error(doomed: Path) -> None:
    tree = consumed(doomed)
    tree.add("", ["link", "nothing"])
    tree.add("sub", ["file", "skipped"])
    (doomed / "link").unlink()

    tree.remove()

    assert not doomed.exists()


def test_files_of_another_file_system_are_copied_and_removed(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm") / f"pyostree-{os.getpid()}"
    if not elsewhere.parent.is_dir() or elsewhere.parent.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    (elsewhere / "sub").mkdir(parents=True)
    (elsewhere / "sub/file").write_bytes(b"content")
    tree = MutableTree()
    with Repo.create(tmp_path / "repo", "bare") as repo:
        with repo.transaction(fsync=False) as txn:
            txn.add_directory(tree, elsewhere, consume=True)
            root = tree.write(txn)

        assert repo.load_dirtree(root.dirtree).dirs[0][0] == "sub"
        assert txn.stats.content_written == 1
    assert not elsewhere.exists()
