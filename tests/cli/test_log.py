"""``ostree log``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare


def test_commits_follow_their_parents(repo: Path) -> None:
    head, parent = succeed("rev-parse", f"--repo={repo}", "main", "main^").split()

    out = succeed("log", f"--repo={repo}", "main")

    assert [line for line in out.splitlines() if line.startswith("commit ")] == [
        f"commit {head}",
        f"commit {parent}",
    ]


def test_history_may_end_early(repo: Path) -> None:
    parent = succeed("rev-parse", f"--repo={repo}", "main^").strip()
    (repo / "objects" / parent[:2] / f"{parent[2:]}.commit").unlink()

    out = succeed("log", f"--repo={repo}", "main")

    assert out.endswith("    last line\n\n<< History beyond this commit not fetched >>\n")


def test_a_missing_commit_is_an_error(repo: Path) -> None:
    message = fail("log", f"--repo={repo}", "0" * 64)

    assert message == f"error: No such metadata object {'0' * 64}.commit"


def test_a_time_that_cannot_be_shown_is_an_error(repo: Path, tree: Path) -> None:
    commit = succeed("commit", f"--repo={repo}", "--orphan", "--timestamp=@-999999999999999", tree)

    result = ostree("log", f"--repo={repo}", commit.strip())

    assert result == (
        1,
        f"commit {commit}",
        "error: Failed to read commit: Invalid timestamp: 18445744073709551617\n",
    )


def test_usage_errors(repo: Path) -> None:
    assert misuse("log", f"--repo={repo}") == "error: A rev argument is required"


@pytest.mark.oracle
@pytest.mark.parametrize("words", ["main", "main^", "--raw main", "nope"])
def test_output_is_the_references(words: str, repo: Path, compare: Compare) -> None:
    compare("log", f"--repo={repo}", *words.split())
