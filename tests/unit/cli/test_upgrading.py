"""What comes after an upgrade."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from ostree.cli.context import Context, Output
from ostree.cli.upgrading import reboot
from ostree.errors import SysrootError

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_the_system_manager_is_asked_when_everything_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.BufferedWriter(io.BytesIO())
    out = Output(stream, "utf-8", is_terminal=False)
    asked = []

    def execvp(program: str, argv: Sequence[str]) -> None:
        asked.append((program, list(argv), stream.raw.getvalue()))

    monkeypatch.setattr(os, "execvp", execvp)
    out.line("done")

    reboot(Context(out, out, {}))

    assert asked == [("systemctl", ["systemctl", "reboot"], b"done\n")]


def test_no_system_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Output(None, "utf-8", is_terminal=False)
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(SysrootError, match="systemctl: No such file or directory"):
        reboot(Context(output, output, {}))
