"""``ostree reset``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare


def test_a_ref_goes_back(repo: Path) -> None:
    parent = succeed("rev-parse", f"--repo={repo}", "main^")

    assert succeed("reset", f"--repo={repo}", "main", "main^") == ""

    assert succeed("rev-parse", f"--repo={repo}", "main") == parent


def test_it_need_not_go_back_along_its_line(repo: Path, tree: Path) -> None:
    other = succeed("commit", f"--repo={repo}", "--orphan", "--timestamp=@7", tree).strip()

    succeed("reset", f"--repo={repo}", "main", other[:12])

    assert succeed("rev-parse", f"--repo={repo}", "main").strip() == other


def test_refs_of_remotes_are_set_too(repo: Path) -> None:
    succeed("refs", f"--repo={repo}", "--create=origin:main", "main")
    parent = succeed("rev-parse", f"--repo={repo}", "main^")

    succeed("reset", f"--repo={repo}", "origin:main", "main^")

    assert succeed("rev-parse", f"--repo={repo}", "origin:main") == parent


def test_a_ref_that_does_not_exist_is_not_made(repo: Path) -> None:
    assert fail("reset", f"--repo={repo}", "new", "main") == "error: Invalid ref 'new'"

    assert succeed("refs", f"--repo={repo}") == "main\n"


def test_the_summary_follows_where_it_is_to(repo: Path) -> None:
    succeed("config", f"--repo={repo}", "set", "core.auto-update-summary", "true")
    parent = succeed("rev-parse", f"--repo={repo}", "main^").strip()

    succeed("reset", f"--repo={repo}", "main", "main^")

    assert parent in succeed("summary", f"--repo={repo}", "-v")


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "",
        "main",
        "main main",
        "main main more",
        "main main^^",
        "main nope",
        "nope nope",
        "nope main",
        "main^ main",
        "bad//ref main",
        "main 0",
        f"main {'a' * 64}",
    ],
)
def test_output_is_the_references(words: str, repo: Path, compare: Compare) -> None:
    compare("reset", f"--repo={repo}", *words.split())


def test_what_cannot_be_written_is_refused_first(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_, **__: False)

    result = ostree("reset", f"--repo={repo}", "main")

    assert result == (1, "", "error: Cannot write to repository: Permission denied\n")
