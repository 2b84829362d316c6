"""Calls with the wrong kind of arguments: a TypeError that names it, or an error of ours; nothing done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ostree.errors import FormatError, RepoError
from ostree.repo.repository import Repo
from ostree.sysroot.sysroot import Sysroot
from ostree.types import Checksum, ObjectType, TreeId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ostree.repo.transaction import Transaction

#: A type checker would find these calls; here they are to be found when they happen.
ROOT = TreeId(Checksum("0" * 64), Checksum("1" * 64))
ANY_REPO: Any = Repo
ANY_SYSROOT: Any = Sysroot
ANY_CHECKSUM: Any = Checksum


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo", "archive") as repo:
        yield repo


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda _: ANY_REPO.open(b"repo"), r"a path is a str or os\.PathLike\[str\], not bytes"),
        (lambda _: ANY_REPO.create(b"repo"), r"a path is a str or os\.PathLike\[str\], not bytes"),
        (lambda _: ANY_SYSROOT.open(b"/"), r"a path is a str or os\.PathLike\[str\], not bytes"),
        (lambda _: ANY_REPO.open(3), "expected str, bytes or os.PathLike object, not int"),
        (lambda _: ANY_REPO.open(None), "expected str, bytes or os.PathLike object, not NoneType"),
        (lambda repo: repo.resolve(b"main"), "a revision is a str, not bytes"),
        (lambda repo: repo.find(None), "a revision is a str, not NoneType"),
        (lambda repo: repo.tree(1), "a revision is a str, not int"),
        (lambda repo: list(repo.diff(b"x", b"y")), "a path is a str"),
        (lambda _: ANY_CHECKSUM(b"0" * 64), "a checksum is a str, not bytes"),
        (lambda repo: repo.refs.set("main", b"0" * 64), "a checksum is a str, not bytes"),
    ],
)
def test_the_wrong_type(repo: Repo, call: Callable[[Any], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call(repo)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda txn: txn.import_directory(b"x"), "a path is a str"),
        (lambda txn: txn.import_tar(b"x"), "a path is a str"),
        (lambda txn: txn.commit("0" * 64), "a root is a TreeId, not str"),
        (lambda txn: txn.commit(ROOT, parent=b"0" * 64), "a checksum is a str, not bytes"),
        (lambda txn: txn.set_ref("main", 5), "a checksum is a str, not int"),
    ],
)
def test_the_wrong_type_in_a_transaction(
    repo: Repo, call: Callable[[Any], object], message: str
) -> None:
    with pytest.raises(TypeError, match=message), repo.transaction(fsync=False) as txn:
        call(txn)

    assert list(repo.commits()) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda txn: txn.import_directory("."),
        lambda txn: txn.import_tar("x.tar"),
        lambda txn: txn.commit(ROOT),
        lambda txn: txn.write_metadata(ObjectType.DIRTREE, b"\0"),
        lambda txn: txn.write_detached(Checksum("0" * 64), b""),
        lambda txn: txn.set_ref("main", None),
        lambda txn: txn.set_mirrored_ref("org.example.Os", "main", None),
    ],
)
def test_outside_of_its_block_a_transaction_writes_nothing(
    repo: Repo, call: Callable[[Transaction], object]
) -> None:
    """Else objects would appear one by one, and refs never."""
    txn = repo.transaction(fsync=False)

    with pytest.raises(RepoError, match=r"^The transaction is not open$"):
        call(txn)
    with txn:
        pass
    with pytest.raises(RepoError, match=r"^The transaction is not open$"):
        call(txn)

    assert not any(type.is_metadata for type in ObjectType if list(repo.store.objects_of(type)))


def test_a_transaction_is_used_once(repo: Repo) -> None:
    txn = repo.transaction(fsync=False)
    with txn:
        pass

    with pytest.raises(RepoError, match=r"^A transaction cannot be used a second time$"), txn:
        pass


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda repo: Repo.create(repo.path + "2", "zip"), "Invalid mode 'zip' in repository"),
        (lambda repo: Repo.create(repo.path + "2", collection_id="x"), "Invalid collection ID x"),
        (lambda repo: repo.refs.set("main", "garbage"), "Invalid rev garbage"),
        (lambda repo: repo.refs.set("a//b", Checksum("0" * 64)), "Invalid refspec a//b"),
        (lambda repo: repo.refs.set("0" * 64, Checksum("0" * 64)), "looks like a checksum"),
        (lambda repo: repo.resolve("a b"), "Invalid refspec a b"),
    ],
)
def test_the_wrong_text(repo: Repo, call: Callable[[Repo], object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        call(repo)

    assert repo.refs.all() == {}
