"""Extended attributes: canonical when read, of links as of files."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from ostree.system import files, xattr
from support.vectors import IS_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "f").write_bytes(b"")
    (tmp_path / "link").symlink_to("f")
    fd = files.open_directory(tmp_path)
    yield fd
    os.close(fd)


def test_reading_sorts_and_drops_empty_values(place: int, tmp_path: Path) -> None:
    for name, value in [("user.z", b"1"), ("user.empty", b""), ("user.é", b"2"), ("user.a", b"3")]:
        os.setxattr(tmp_path / "f", name, value)
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    try:
        expected = ((b"user.a", b"3"), (b"user.z", b"1"), ("user.é".encode(), b"2"))

        assert xattr.read_fd(fd) == expected
        assert xattr.read_at(place, "f") == expected
    finally:
        os.close(fd)


def test_writing_reads_back(place: int, tmp_path: Path) -> None:
    pairs = ((b"user.a", b"\0\xff"), (b"user.long", b"x" * 1000))
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    try:
        xattr.write_fd(fd, pairs)

        assert xattr.read_fd(fd) == pairs
    finally:
        os.close(fd)


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="attributes of links need root")
def test_links_have_their_own(place: int) -> None:
    xattr.write_at(place, "link", ((b"trusted.t", b"v"),))

    assert xattr.read_at(place, "link") == ((b"trusted.t", b"v"),)
    assert xattr.read_at(place, "f") == ()


def test_file_systems_without_attributes_have_none(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> list[str]:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "listxattr", refuse)

    assert xattr.read_fd(place) == ()
    assert xattr.read_at(place, "f") == ()


def test_an_attribute_that_goes_away_meanwhile_is_not_there(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "listxattr", lambda *_, **__: ["user.gone"])

    assert xattr.read_fd(place) == ()
    assert xattr.read_at(place, "f") == ()
