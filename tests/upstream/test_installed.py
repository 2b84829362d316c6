"""The tests of upstream that we claim to pass (``expected.txt``); ``make conformance`` runs all."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).with_name("run.py")
EXPECTED = Path(__file__).with_name("expected.txt")
INSTALLED = Path("/usr/libexec/installed-tests/libostree")
PROGRAM = Path(sys.executable).with_name("ostree")

CLAIMED = [
    line.partition("#")[0].strip()
    for line in EXPECTED.read_text(encoding="utf-8").splitlines()
    if line.partition("#")[0].strip()
]


@pytest.mark.oracle
@pytest.mark.parametrize("name", CLAIMED)
def test_upstreams_test_passes(name: str, tmp_path: Path) -> None:
    """The script exits with 0 and reports every point it planned."""
    if not INSTALLED.is_dir():
        pytest.skip("upstream's tests are not installed (Debian: ostree-tests)")

    result = subprocess.run(
        [sys.executable, RUNNER, "--ostree", PROGRAM, "--log-dir", tmp_path, "--json", "-", name],
        check=False,
        capture_output=True,
        text=True,
    )

    (outcome,) = json.loads(result.stdout)
    if outcome["status"] == "skip":
        pytest.skip(outcome["detail"])
    log = (tmp_path / f"{name}.log").read_text(encoding="utf-8")
    assert outcome["status"] == "pass", log[-3000:]


@pytest.mark.parametrize(
    ("output", "code", "status", "points"),
    [
        ("1..2\nok 1 - one\nok 2 two\n", 0, "pass", 2),
        ("ok one\nok two # SKIP no such thing\n1..2\n", 0, "pass", 1),
        ("1..2\nok 1\nok 2\n", 1, "fail", 2),
        ("1..2\nok 1\n", 0, "fail", 1),
        ("ok 1\n", 0, "fail", 1),
        ("1..1\nnot ok 1 broken\n", 0, "fail", 0),
        ("1..0 # SKIP not here\n", 0, "skip", 0),
        ("", 77, "skip", 0),
        ("1..2\nok 1\n", None, "timeout", 1),
    ],
)
def test_the_protocol_is_read_strictly(
    output: str, code: int | None, status: str, points: int
) -> None:
    """Nothing counts as passed that does not say and do so completely."""
    judge = runpy.run_path(str(RUNNER))["judge"]

    result = judge("test", output, code, 0.0)

    assert (result.status, result.points) == (status, points)
