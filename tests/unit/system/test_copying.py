"""Copies of content: the kernel's ways where it has them, and the plain way elsewhere."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from ostree.system import copying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 9000


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[int, int]]:
    (tmp_path / "source").write_bytes(CONTENT)
    source = os.open(tmp_path / "source", os.O_RDONLY)
    destination = os.open(tmp_path / "destination", os.O_RDWR | os.O_CREAT)
    yield source, destination
    os.close(source)
    os.close(destination)


def fail(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_the_whole_content_is_copied(pair: tuple[int, int], tmp_path: Path) -> None:
    source, destination = pair
    os.lseek(source, 100, os.SEEK_SET)

    assert copying.copy_content(source, destination) == len(CONTENT)

    assert (tmp_path / "destination").read_bytes() == CONTENT


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_memory_is_the_last_resort(
    pair: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: int) -> int:
        raise fail(number)

    monkeypatch.setattr(os, "copy_file_range", refuse)

    assert copying.copy_content(*pair) == len(CONTENT)

    assert (tmp_path / "destination").read_bytes() == CONTENT


def test_short_copies_go_on(
    pair: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = os.copy_file_range

    def short(source: int, destination: int, count: int, start: int, at: int) -> int:
        return genuine(source, destination, min(count, 100_001), start, at)

    monkeypatch.setattr(os, "copy_file_range", short)

    assert copying.copy_content(*pair) == len(CONTENT)

    assert (tmp_path / "destination").read_bytes() == CONTENT


def test_a_full_disk_is_an_error(pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> int:
        raise fail(errno.ENOSPC)

    monkeypatch.setattr(os, "copy_file_range", refuse)

    with pytest.raises(OSError, match="No space left"):
        copying.copy_content(*pair)


def test_a_clone_needs_no_copy(
    pair: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel does on Btrfs and XFS, done by hand."""

    def ioctl(destination: int, request: int, source: int) -> int:
        assert request == 0x40049409
        os.pwrite(destination, os.pread(source, len(CONTENT), 0), 0)
        return 0

    def never(*_: int) -> int:
        raise AssertionError

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    monkeypatch.setattr(os, "copy_file_range", never)

    assert copying.copy_content(*pair) == len(CONTENT)

    assert (tmp_path / "destination").read_bytes() == CONTENT


def test_an_error_of_cloning_that_means_something_is_raised(
    pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ioctl(*_: int) -> int:
        raise fail(errno.EIO)

    monkeypatch.setattr(fcntl, "ioctl", ioctl)

    with pytest.raises(OSError, match="Input/output error"):
        copying.copy_content(*pair)
