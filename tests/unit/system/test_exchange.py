"""Two names that change places, and a plain rename where that is not possible."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from ostree.system import exchange
from ostree.system.exchange import exchange_or_rename

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    os.symlink("new", tmp_path / "link.tmp")
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def test_the_former_file_stays(directory: int, tmp_path: Path) -> None:
    os.symlink("old", tmp_path / "link")
    inode = os.lstat(tmp_path / "link").st_ino

    assert exchange_or_rename("link.tmp", "link", directory)

    assert os.readlink(tmp_path / "link") == "new"
    assert os.readlink(tmp_path / "link.tmp") == "old"
    assert os.lstat(tmp_path / "link.tmp").st_ino == inode


def test_without_a_former_file(directory: int, tmp_path: Path) -> None:
    assert not exchange_or_rename("link.tmp", "link", directory)

    assert os.listdir(tmp_path) == ["link"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
def test_where_it_is_refused(
    directory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_source: str, _target: str, _dir_fd: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(exchange, "_exchange", refuse)
    os.symlink("old", tmp_path / "link")

    assert not exchange_or_rename("link.tmp", "link", directory)

    assert os.readlink(tmp_path / "link") == "new"
    assert os.listdir(tmp_path) == ["link"]


def test_errors_are_not_hidden(directory: int, tmp_path: Path) -> None:
    os.symlink("old", tmp_path / "link")

    with pytest.raises(FileNotFoundError):
        exchange_or_rename("missing", "link", directory)

    assert os.readlink(tmp_path / "link") == "old"
