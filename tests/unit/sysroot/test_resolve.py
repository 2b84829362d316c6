"""Links resolved inside a tree."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from ostree.sysroot.resolve import resolve_inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "a/b").mkdir(parents=True)
    for path, target in (
        ("inside", "a/b"),
        ("a/up", "../a"),
        ("out", "../.."),
        ("absolute", "/a"),
        ("loop", "loop"),
        ("dangling", "nothing/here"),
    ):
        (tmp_path / path).symlink_to(target)
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("a/b/c", "a/b/c"),
        ("inside/c", "a/b/c"),
        ("a/up/up/b", "a/b"),
        ("./a//b/.", "a/b"),
        ("a/..", "."),
        ("dangling/x", "nothing/here/x"),
        ("", "."),
    ],
)
def test_paths_that_stay_inside(root: int, path: str, result: str) -> None:
    assert resolve_inside(path, root) == result


@pytest.mark.parametrize(("path", "result"), [("out/x", "x"), ("absolute/b", "a/b"), ("../a", "a")])
def test_paths_that_would_leave_stay(root: int, path: str, result: str) -> None:
    assert resolve_inside(path, root) == result


def test_loops_end(root: int) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number tells
        resolve_inside("loop", root)

    assert caught.value.errno == errno.ELOOP
