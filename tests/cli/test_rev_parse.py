"""``ostree rev-parse``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare


def test_each_argument_gives_a_line(repo: Path) -> None:
    head, parent = succeed("rev-parse", f"--repo={repo}", "main", "main^").split()

    assert len(head) == len(parent) == 64
    assert head != parent
    assert succeed("rev-parse", f"--repo={repo}", head[:8]) == f"{head}\n"


def test_what_was_resolved_before_an_error_is_printed(repo: Path) -> None:
    result = ostree("rev-parse", f"--repo={repo}", "main", "nope")

    assert result.status == 1
    assert len(result.out) == 65
    assert result.err == "error: Refspec 'nope' not found\n"


def test_the_only_commit(repo: Path, tmp_path: Path, tree: Path) -> None:
    single = tmp_path / "single"
    succeed("init", f"--repo={single}", "--mode=archive")
    empty = fail("rev-parse", f"--repo={single}", "--single")
    commit = succeed("commit", f"--repo={single}", "--orphan", tree)

    assert empty == "error: No commit objects found"
    assert succeed("rev-parse", f"--repo={single}", "-S") == commit
    assert fail("rev-parse", f"--repo={repo}", "-S") == "error: Multiple commit objects found"


def test_usage_errors(repo: Path) -> None:
    assert misuse("rev-parse", f"--repo={repo}") == "error: REV must be specified"
    assert misuse("rev-parse", f"--repo={repo}", "-S", "main") == (
        "error: Cannot specify arguments with --single"
    )


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "",
        "-S",
        "-S main",
        "nope main",
        "main nope",
        "main^",
        "main^^",
        "main^^^",
        "-- -x",
        "-- main",
        "main:",
        "-",
        "main --",
        "a:main",
        "origin:",
    ],
)
def test_output_is_the_references(words: str, repo: Path, compare: Compare) -> None:
    compare("rev-parse", f"--repo={repo}", *words.split())


@pytest.mark.oracle
def test_a_checksum_of_some_remote_is_that_commit(repo: Path, compare: Compare) -> None:
    commit = succeed("rev-parse", f"--repo={repo}", "main").strip()

    assert compare("rev-parse", f"--repo={repo}", f"origin:{commit}").out.strip() == commit
    assert compare("rev-parse", f"--repo={repo}", f"origin:{commit[:8]}").status == 1
