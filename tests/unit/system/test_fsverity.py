"""Sealing: the request as the kernel reads it, and what its answers mean."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import RepoError
from ostree.store.sealing import Sealing
from ostree.system import fsverity
from ostree.system.anonymous import AnonymousFile

if TYPE_CHECKING:
    from pathlib import Path


class _EnableArgument(ctypes.Structure):
    """``struct fsverity_enable_arg`` of ``linux/fsverity.h``."""

    _fields_ = (
        ("version", ctypes.c_uint32),
        ("hash_algorithm", ctypes.c_uint32),
        ("block_size", ctypes.c_uint32),
        ("salt_size", ctypes.c_uint32),
        ("salt_ptr", ctypes.c_uint64),
        ("sig_size", ctypes.c_uint32),
        ("reserved1", ctypes.c_uint32),
        ("sig_ptr", ctypes.c_uint64),
        ("reserved2", ctypes.c_uint64 * 11),
    )


def answer_with(monkeypatch: pytest.MonkeyPatch, error: int | None) -> list[tuple[int, int]]:
    """Let the kernel answer so; (request, open mode) of each call."""
    calls = []

    def ioctl(fd: int, request: int, argument: bytes) -> None:
        del argument
        calls.append((request, fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE))
        if error is not None:
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return calls


def test_the_argument_is_the_kernels_structure() -> None:
    raw = fsverity.enable_argument()

    argument = _EnableArgument.from_buffer_copy(raw)
    assert len(raw) == ctypes.sizeof(_EnableArgument)
    assert (argument.version, argument.hash_algorithm, argument.block_size) == (1, 1, 4096)
    assert not any(raw[12:])


def test_a_file_is_sealed_when_nobody_can_write_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = answer_with(monkeypatch, None)
    dir_fd = os.open(tmp_path, os.O_RDONLY)

    with AnonymousFile(dir_fd) as file:
        os.write(file.fd, b"content")
        Sealing(required=True).seal(file)
        file.link("name", dir_fd)

    os.close(dir_fd)
    # _IOW('f', 133, 128 bytes)
    assert calls == [(1 << 30 | 128 << 16 | ord("f") << 8 | 133, os.O_RDONLY)]
    assert (tmp_path / "name").read_bytes() == b"content"


@pytest.mark.parametrize("error", [errno.EOPNOTSUPP, errno.ENOTTY])
def test_without_support_it_is_an_error_only_if_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    calls = answer_with(monkeypatch, error)
    (tmp_path / "file").touch()
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    lenient = Sealing(required=False)

    lenient.seal_open(fd)
    lenient.seal_open(fd)
    with pytest.raises(RepoError) as caught:
        Sealing(required=True).seal_open(fd)

    os.close(fd)
    assert len(calls) == 2  # asked once, by each
    assert str(caught.value) == "fsverity required but filesystem does not support it"


def test_a_sealed_file_stays_so_and_other_errors_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    answer_with(monkeypatch, errno.EEXIST)

    sealed = fsverity.enable(fd)
    answer_with(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        fsverity.enable(fd)

    os.close(fd)
    assert sealed
