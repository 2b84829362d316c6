"""Magic numbers of file systems that every Linux has."""

from __future__ import annotations

import os

import pytest

from ostree.system.file_system_type import file_system_type

#: From ``linux/magic.h``.
PROC = 0x9FA0


def test_the_number_of_proc() -> None:
    fd = os.open("/proc", os.O_RDONLY)
    try:
        assert file_system_type(fd) == PROC
    finally:
        os.close(fd)


def test_a_descriptor_that_is_none() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        file_system_type(-1)
