"""``ostree serve``."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from cli.running import fail

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_and_ends_when_told_to(repo: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ostree", "serve", str(repo), "--port", "0", "--access-log"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split()[-1]
        with urllib.request.urlopen(f"{url}config") as answer:
            config = answer.read()
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)

    assert line.startswith(f"Serving {repo} at http://127.0.0.1:")
    assert config == (repo / "config").read_bytes()
    assert out == f"127.0.0.1 GET /config 200 {len(config)}\n"
    assert (process.returncode, errors) == (0, "")


def test_errors(tmp_path: Path) -> None:
    assert fail("serve", tmp_path, "--port=99999") == "error: Invalid port: 99999"
    assert "none" in fail("serve", tmp_path / "none")
