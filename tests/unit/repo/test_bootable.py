"""Commits that can be booted say which kernel they have (repository format §6.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import NotFoundError, RepoError
from ostree.formats.gvariant import Variant
from ostree.repo.bootable import with_bootable
from ostree.repo.repository import Repo

if TYPE_CHECKING:
    from pathlib import Path

    from ostree.types import TreeId


def import_tree(tmp_path: Path, *kernels: str) -> tuple[Repo, TreeId]:
    tree = tmp_path / "tree"
    (tree / "usr/lib/modules/empty").mkdir(parents=True)
    for kernel in kernels:
        (tree / "usr/lib/modules" / kernel).mkdir()
        (tree / "usr/lib/modules" / kernel / "vmlinuz").write_text("k\n")
    repo = Repo.create(tmp_path / "repo", "archive")
    with repo.transaction(fsync=False) as txn:
        root = txn.import_directory(tree)
    return repo, root


def test_keys_are_in_the_order_of_the_vector(tmp_path: Path) -> None:
    """Spec §10.3: ostree.linux, version, ostree.bootable, ostree.ref-binding, foo."""
    repo, root = import_tree(tmp_path, "6.1.0")
    given = [
        ("version", Variant("s", "1")),
        ("foo", Variant("s", "bar")),
        ("ostree.ref-binding", Variant("as", ["bt"])),
    ]

    with repo:
        metadata = with_bootable(repo, root, given)

    assert [key for key, _ in metadata] == [
        "ostree.linux",
        "version",
        "ostree.bootable",
        "ostree.ref-binding",
        "foo",
    ]
    assert metadata[0][1] == Variant("s", "6.1.0")


def test_a_tree_without_kernel_is_refused(tmp_path: Path) -> None:
    repo, root = import_tree(tmp_path)

    with repo, pytest.raises(NotFoundError, match="No kernel found in /usr/lib/modules"):
        with_bootable(repo, root, [])


def test_two_kernels_are_refused(tmp_path: Path) -> None:
    repo, root = import_tree(tmp_path, "6.1.0", "6.2.0")

    with repo, pytest.raises(RepoError, match="Multiple kernels found in /usr/lib/modules"):
        with_bootable(repo, root, [])


def test_what_is_missing_first_is_named(tmp_path: Path) -> None:
    (tmp_path / "tree/usr/lib").mkdir(parents=True)
    (tmp_path / "tree/usr/lib/modules").write_text("no directory")
    with Repo.create(tmp_path / "repo", "archive") as repo:
        with repo.transaction(fsync=False) as txn:
            file_in_place = txn.import_directory(tmp_path / "tree")
            (tmp_path / "tree/usr/lib/modules").unlink()
            nothing = txn.import_directory(tmp_path / "tree")

        with pytest.raises(
            NotFoundError,
            match=r"^Opening usr/lib/modules: No such file or directory: /usr/lib/modules$",
        ):
            with_bootable(repo, nothing, [])
        with pytest.raises(NotFoundError, match=r"^Opening usr/lib/modules: Not a directory$"):
            with_bootable(repo, file_in_place, [])
