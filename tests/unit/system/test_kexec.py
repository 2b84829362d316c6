"""Kernels that cannot be loaded; loading a real one is nothing for a test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.system import kexec

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_no_kernel_is_refused(tmp_path: Path) -> None:
    """By the kernel: it is none, or we have not the right, or it knows no kexec."""
    (tmp_path / "vmlinuz").write_text("no kernel")
    fd = os.open(tmp_path / "vmlinuz", os.O_RDONLY)

    try:
        with pytest.raises(OSTreeError, match="kexec_file_load: "):
            kexec.load(fd, None, "root=/dev/sda1")
        with pytest.raises(OSTreeError, match="kexec_file_load: "):
            kexec.load(fd, fd, "root=/dev/sda1")
    finally:
        os.close(fd)


def test_an_architecture_without_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    uname = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result([*uname[:4], "m68k"]))

    with pytest.raises(OSTreeError, match="not available on m68k"):
        kexec.load(0, None, "")
