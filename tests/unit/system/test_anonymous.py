"""Files without a name: nothing is visible before the end, with and without O_TMPFILE."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from ostree.system import files
from ostree.system.anonymous import AnonymousFile, random_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["O_TMPFILE", errno.EOPNOTSUPP, errno.EISDIR])
def directory(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    """A directory, on a file system that knows O_TMPFILE or answers in one of the usual ways."""
    if request.param != "O_TMPFILE":
        without_tmpfile(monkeypatch, request.param)
    fd = files.open_directory(tmp_path)
    yield fd
    os.close(fd)


def without_tmpfile(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    genuine = os.open

    def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, os.strerror(number))
        return genuine(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)


def test_it_gets_its_name_when_it_is_linked(directory: int, tmp_path: Path) -> None:
    with AnonymousFile(directory) as file:
        files.write_all(file.fd, b"content")

        assert file.link("name", directory)

    assert os.listdir(tmp_path) == ["name"]
    assert (tmp_path / "name").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "name").stat().st_mode) == 0o600


def test_without_a_name_it_is_gone(directory: int, tmp_path: Path) -> None:
    def interrupted() -> None:
        with file:
            files.write_all(file.fd, b"content")
            raise KeyboardInterrupt

    file = AnonymousFile(directory)
    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert os.listdir(tmp_path) == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file.fd)


def test_a_name_that_is_taken_stays_as_it_is(directory: int, tmp_path: Path) -> None:
    (tmp_path / "name").write_bytes(b"first")
    before = (tmp_path / "name").stat()

    with AnonymousFile(directory) as file:
        files.write_all(file.fd, b"second")

        assert not file.link("name", directory)

    assert (tmp_path / "name").stat().st_ino == before.st_ino
    assert (tmp_path / "name").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["name"]


def test_replacing_takes_the_name_from_what_has_it(directory: int, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/name").write_bytes(b"first")

    with AnonymousFile(directory, "sub") as file:
        files.write_all(file.fd, b"second")
        file.replace("name", "sub")

    assert os.listdir(tmp_path / "sub") == ["name"]
    assert (tmp_path / "sub/name").read_bytes() == b"second"


def test_a_replacement_that_fails_leaves_nothing_behind(directory: int, tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()

    with pytest.raises(IsADirectoryError), AnonymousFile(directory) as file:
        file.replace("name")

    assert os.listdir(tmp_path) == ["name"]
    assert (tmp_path / "name").is_dir()


def test_closing_twice_does_nothing(directory: int, tmp_path: Path) -> None:
    file = AnonymousFile(directory)

    file.close()
    file.close()

    assert os.listdir(tmp_path) == []


def test_errors_other_than_a_missing_feature_are_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_tmpfile(monkeypatch, errno.ENOSPC)

    fd = files.open_directory(tmp_path)
    try:
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            AnonymousFile(fd)
    finally:
        os.close(fd)


def test_random_names_differ() -> None:
    assert len({random_name() for _ in range(100)}) == 100
    assert random_name("x-").startswith("x-")
