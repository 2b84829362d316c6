"""Calls with the wrong kind of arguments: a TypeError that names it, or an error of ours; nothing done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ostree.errors import FormatError
from ostree.repo.repository import Repo
from ostree.sysroot.sysroot import Sysroot
from ostree.types import Checksum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: A type checker would find these calls; here they are to be found when they happen.
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
