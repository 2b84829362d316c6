"""``ostree refs``."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare


@pytest.fixture
def many(repo: Path) -> Path:
    """The repository with refs below each other, remote ones and aliases."""
    for name in ("a/b/c", "a/d"):
        succeed("refs", f"--repo={repo}", f"--create={name}", "main")
    (repo / "refs/remotes/origin").mkdir()
    shutil.copy(repo / "refs/heads/main", repo / "refs/remotes/origin/far")
    succeed("refs", f"--repo={repo}", "--alias", "--create=x/y/stable", "main")
    return repo


def test_all_refs_are_listed_sorted(many: Path) -> None:
    assert succeed("refs", f"--repo={many}") == "a/b/c\na/d\nmain\norigin:far\nx/y/stable\n"


def test_revisions_follow_a_tab(repo: Path) -> None:
    commit = succeed("rev-parse", f"--repo={repo}", "main")

    assert succeed("refs", f"--repo={repo}", "-r") == f"main\t{commit}"


def test_aliases_are_listed_with_their_targets(many: Path) -> None:
    assert succeed("refs", f"--repo={many}", "-A") == "x/y/stable -> main\n"
    assert succeed("refs", f"--repo={many}", "-A", "x") == "x/y/stable -> main\n"
    assert succeed("refs", f"--repo={many}", "-A", "a") == ""


def test_an_alias_may_be_led_elsewhere(many: Path) -> None:
    succeed("refs", f"--repo={many}", "-A", "--create=x/y/stable", "a/d")

    assert succeed("refs", f"--repo={many}", "-A") == "x/y/stable -> a/d\n"


def test_refs_below_a_prefix_are_deleted(many: Path) -> None:
    assert succeed("refs", f"--repo={many}", "--delete", "a", "origin:far") == ""

    assert succeed("refs", f"--repo={many}") == "main\nx/y/stable\n"


def test_an_existing_ref_is_moved_only_by_force(repo: Path) -> None:
    parent = succeed("rev-parse", f"--repo={repo}", "main^").strip()

    message = fail("refs", f"--repo={repo}", "--create=main", parent)
    succeed("refs", f"--repo={repo}", "--create=main", "--force", parent)

    assert message == "error: --create specified but ref main already exists"
    assert succeed("rev-parse", f"--repo={repo}", "main").strip() == parent


def test_a_ref_of_a_remote_is_another_ref(many: Path) -> None:
    """``far`` resolves to ``origin:far``, but there is no local ref of that name yet."""
    succeed("refs", f"--repo={many}", "--create=far", "origin:far")

    assert "\nfar\n" in succeed("refs", f"--repo={many}")


def test_an_abbreviated_commit_is_taken(repo: Path) -> None:
    commit = succeed("rev-parse", f"--repo={repo}", "main")

    message = fail("refs", f"--repo={repo}", f"--create={commit[:8]}", "main")

    assert message == f"error: --create specified but ref {commit[:8]} already exists"


def test_an_alias_leads_to_a_local_ref(many: Path) -> None:
    """The reference makes a broken link here, and cannot list refs any more."""
    message = fail("refs", f"--repo={many}", "-A", "--create=new", "origin:far")

    assert message == "error: Cannot create alias to non-existent ref: origin:far"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "a",
        "a/b",
        "a/b/c",
        "--list a/b",
        "a/b main",
        "foo/",
        "origin:",
        "origin:.",
        "origin",
        "--list origin",
        "--delete",
        "--delete zz",
        "--delete main",
        "--create=new",
        "--create=new main main",
        "--create=new nope",
        "--create=new nope --force",
        "--create=a/b main",
        "--create=main/x main",
        "--create=/bad main",
        "--create",
        "-A --create=new nosuch",
        "-A --create=main a/d",
        "-A --create=r:new main",
        "-A",
        "-A x",
    ],
)
def test_output_is_the_references(words: str, many: Path, compare: Compare) -> None:
    compare("refs", f"--repo={many}", *words.split())


def test_the_summary_follows_where_it_is_to(tmp_path: Path) -> None:
    """``core.auto-update-summary``: creating and deleting refs count, not commits only."""
    repo = tmp_path / "auto"
    (tmp_path / "tree").mkdir()
    succeed("init", f"--repo={repo}", "--mode=archive")
    succeed("config", f"--repo={repo}", "set", "core.auto-update-summary", "true")
    succeed("commit", f"--repo={repo}", "-b", "first", tmp_path / "tree")

    succeed("refs", f"--repo={repo}", "--create=second", "first")
    created = succeed("summary", f"--repo={repo}", "-v")
    succeed("refs", f"--repo={repo}", "--delete", "first")
    deleted = succeed("summary", f"--repo={repo}", "-v")

    assert [line for line in created.splitlines() if line.startswith("*")] == [
        "* first",
        "* second",
    ]
    assert [line for line in deleted.splitlines() if line.startswith("*")] == ["* second"]
