"""Running pieces of Python as processes of their own: other users, limits, sudden ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A process of root that has no capability is bound by file modes like anybody else.
_WITHOUT_CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def command(code: str, *arguments: str | os.PathLike[str]) -> list[str]:
    """The command line that runs a piece of code."""
    paths = [os.fspath(argument) for argument in arguments]
    return [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *paths]


def run(
    code: str,
    *arguments: str | os.PathLike[str],
    prefix: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run a piece of code to its end; whether it failed is the caller's business."""
    return subprocess.run(
        [*prefix, *command(code, *arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
    )


def start(code: str, *arguments: str | os.PathLike[str]) -> subprocess.Popen[str]:
    """Start a piece of code; its input and output are pipes."""
    return subprocess.Popen(
        command(code, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def run_unprivileged(
    code: str, *arguments: str | os.PathLike[str]
) -> subprocess.CompletedProcess[str]:
    """Run a piece of code that file modes apply to; skips where that cannot be had."""
    if os.geteuid() != 0:
        return run(code, *arguments)
    if not shutil.which("setpriv"):
        pytest.skip("setpriv (Debian: util-linux) is not installed")
    return run(code, *arguments, prefix=tuple(_WITHOUT_CAPABILITIES))
