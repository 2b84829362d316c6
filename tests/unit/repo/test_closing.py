"""Repositories and content that are forgotten, or used after they were closed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import NotFoundError, RepoError
from ostree.repo.repository import Repo
from ostree.store.content import MemoryContent
from ostree.sysroot.sysroot import Sysroot
from ostree.types import FileHeader, ObjectType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ostree.types import Checksum

BIG = bytes(9 << 20)  # more than is held in memory


@pytest.fixture(params=["archive", "bare-user"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    Repo.create(tmp_path / "repo", request.param).close()
    return tmp_path / "repo"


@pytest.fixture
def big(path: Path) -> Checksum:
    """A file object that is read as a stream."""
    with (
        Repo.open(path) as repo,
        repo.transaction(fsync=False) as txn,
        MemoryContent(FileHeader(0, 0, 0o100644), BIG) as content,
    ):
        return txn.write_content(content)


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_forgotten_repository_warns_and_is_closed(path: Path) -> None:
    before = open_descriptors()

    with pytest.warns(ResourceWarning, match=f"^unclosed <Repo '{path}'>$"):
        Repo.open(path)

    assert open_descriptors() == before


def test_a_repository_that_cannot_be_opened_is_not_forgotten(path: Path) -> None:
    (path / "config").write_text("[core]\nrepo_version=1\nparent=nowhere\n")
    before = open_descriptors()

    with pytest.raises(NotFoundError, match=r"^opening repo: While checking parent"):
        Repo.open(path)

    assert open_descriptors() == before


def test_a_forgotten_sysroot_warns(tmp_path: Path) -> None:
    with pytest.warns(ResourceWarning, match=r"^unclosed <Sysroot '.*'>$"):
        Sysroot.open(tmp_path)


def test_forgotten_content_warns_and_is_closed(path: Path, big: Checksum) -> None:
    with Repo.open(path) as repo:
        before = open_descriptors()

        with pytest.warns(ResourceWarning, match=r"^unclosed <ostree\.store\.content"):
            repo.load_content(big)

        assert open_descriptors() == before


def test_closing_twice_does_nothing(path: Path) -> None:
    repo = Repo.open(path)

    repo.close()
    before = open_descriptors()
    repo.close()

    assert open_descriptors() == before


@pytest.mark.parametrize(
    "use",
    [
        lambda repo: repo.resolve("main"),
        lambda repo: repo.refs.all(),
        lambda repo: repo.load_commit("0" * 64),
        lambda repo: repo.has_object("0" * 64, ObjectType.COMMIT),
        lambda repo: list(repo.commits()),
        lambda repo: repo.tree("main"),
        lambda repo: repo.checkout("main", "out"),
        lambda repo: repo.fsck(),
        lambda repo: repo.transaction().__enter__(),
        lambda repo: repo.is_partial("0" * 64),
    ],
)
def test_a_closed_repository_says_so(path: Path, use: Callable[[Repo], object]) -> None:
    """Its descriptors may belong to other files by now."""
    with Repo.open(path) as repo:
        pass

    with pytest.raises(RepoError) as caught:
        use(repo)

    assert str(caught.value) == f"The repository is closed: {path}"


def test_what_came_from_a_closed_repository_says_so(path: Path, big: Checksum) -> None:
    from ostree.formats import dirmeta, dirtree
    from ostree.types import DirMeta, TreeId

    with Repo.open(path) as repo:
        with repo.transaction(fsync=False) as txn:
            meta = txn.write_metadata(ObjectType.DIRMETA, dirmeta.encode(DirMeta(0, 0, 0o040755)))
            tree = dirtree.encode(dirtree.DirTree([("big", big)], []))
            root = TreeId(txn.write_metadata(ObjectType.DIRTREE, tree), meta)
            txn.set_ref("main", txn.commit(root, timestamp=0))
        view = repo.tree("main")["big"]

    with pytest.raises(RepoError, match=r"^The repository is closed: "):
        view.read_bytes()


def test_attributes_that_never_were_are_attribute_errors(path: Path) -> None:
    name = "nope"

    with (
        Repo.open(path) as repo,
        pytest.raises(AttributeError, match="'Repo' object has no attribute 'nope'"),
    ):
        getattr(repo, name)
