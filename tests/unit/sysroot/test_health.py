"""Programs that decide whether a system is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.sysroot.health import (
    Outcome,
    Phase,
    check_health,
    find_programs,
    run_check,
    run_followers,
    unhealthy,
)

if TYPE_CHECKING:
    from pathlib import Path

VENDOR = "usr/lib/ostree/health.d"
LOCAL = "etc/ostree/health.d"


def program(root: Path, name: str, text: str = "exit 0", mode: int = 0o755) -> str:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return str(path)


def test_programs_are_ordered_by_name_over_both_directories(tmp_path: Path) -> None:
    later = program(tmp_path, f"{VENDOR}/check/required.d/20-b")
    first = program(tmp_path, f"{LOCAL}/check/required.d/10-a")
    program(tmp_path, f"{VENDOR}/check/wanted.d/30-c")

    assert find_programs(str(tmp_path), Phase.REQUIRED) == [first, later]


def test_what_is_in_etc_replaces_what_the_vendor_has(tmp_path: Path) -> None:
    program(tmp_path, f"{VENDOR}/check/required.d/a")
    mine = program(tmp_path, f"{LOCAL}/check/required.d/a")

    assert find_programs(str(tmp_path), Phase.REQUIRED) == [mine]


def test_a_check_can_be_masked(tmp_path: Path) -> None:
    for name in ("a", "b"):
        program(tmp_path, f"{VENDOR}/check/required.d/{name}")
    directory = tmp_path / LOCAL / "check/required.d"
    directory.mkdir(parents=True)
    (directory / "a").symlink_to("/dev/null")
    program(tmp_path, f"{LOCAL}/check/required.d/b", mode=0o644)

    assert find_programs(str(tmp_path), Phase.REQUIRED) == []


def test_no_directories_no_programs(tmp_path: Path) -> None:
    assert find_programs(str(tmp_path), Phase.GREEN) == []


@pytest.mark.parametrize(
    ("failing", "healthy"), [((), True), (("w",), True), (("r",), False), (("r", "w"), False)]
)
def test_only_required_checks_decide(
    tmp_path: Path, failing: tuple[str, ...], healthy: bool
) -> None:
    """All are run, whatever came of those before."""
    for name in (f"{VENDOR}/check/required.d/r", f"{VENDOR}/check/wanted.d/w"):
        program(tmp_path, name)
    outcomes: list[Outcome] = []

    def run(path: str) -> str | None:
        return "no" if path.rpartition("/")[2] in failing else None

    assert check_health(str(tmp_path), run, outcomes.append) is healthy
    assert [(outcome.path[-1], outcome.reason) for outcome in outcomes] == [
        ("r", "no" if "r" in failing else None),
        ("w", "no" if "w" in failing else None),
    ]


@pytest.mark.parametrize(("healthy", "expected"), [(True, "g"), (False, "x")])
def test_green_or_red_programs_follow(tmp_path: Path, healthy: bool, expected: str) -> None:
    program(tmp_path, f"{VENDOR}/green.d/g")
    program(tmp_path, f"{LOCAL}/red.d/x")
    outcomes: list[Outcome] = []

    run_followers(str(tmp_path), lambda _: None, outcomes.append, healthy=healthy)

    assert [outcome.path[-1] for outcome in outcomes] == [expected]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("exit 0", None),
        ("exit 3", "exited with code 3"),
        ("kill -9 $$", "killed by signal 9"),
        ('test "$WORD" = kept', None),
        ("read line", "exited with code 1"),
    ],
)
def test_a_program_tells_by_its_status(tmp_path: Path, text: str, reason: str | None) -> None:
    path = program(tmp_path, "check", text)

    assert run_check(path, {"PATH": "/usr/bin:/bin", "WORD": "kept"}) == reason


def test_a_program_that_hangs_has_failed(tmp_path: Path) -> None:
    path = program(tmp_path, "check", "exec sleep 60")

    assert run_check(path, {"PATH": "/usr/bin:/bin"}, 0.2) == "not done after 0.2 seconds"


def test_what_is_no_program_has_failed(tmp_path: Path) -> None:
    path = tmp_path / "check"
    path.write_text("#!/nonesuch\n")
    path.chmod(0o755)

    assert run_check(str(path), {}) == "No such file or directory"


def test_the_error_names_what_failed() -> None:
    outcomes = [
        Outcome("/a/one", Phase.REQUIRED, "no"),
        Outcome("/a/two", Phase.REQUIRED, None),
        Outcome("/a/three", Phase.WANTED, "no"),
        Outcome("/a/four", Phase.REQUIRED, "no"),
    ]

    assert unhealthy(outcomes).message == "Health check failed: one, four"
