"""``ostree refs``."""

from __future__ import annotations

import json
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


@pytest.fixture
def collected(many: Path) -> Path:
    """The repository as a collection of its own, with mirrored refs and a remote's."""
    succeed("config", f"--repo={many}", "set", "core.collection-id", "org.example.Own")
    succeed("refs", f"--repo={many}", "-c", "--create=org.example.Mirror:x/y", "main")
    succeed("refs", f"--repo={many}", "-c", "--create=org.example.Mirror:z", "main")
    group = '--group=remote "origin"'
    succeed("config", f"--repo={many}", "set", group, "collection-id", "org.example.Remote")
    succeed("config", f"--repo={many}", "set", group, "url", "http://127.0.0.1/")
    return many


def test_refs_are_listed_by_collection(collected: Path) -> None:
    everything = succeed("refs", f"--repo={collected}", "-c")
    mirrored = succeed("refs", f"--repo={collected}", "-c", "org.example.Mirror")

    assert everything.splitlines() == [
        "(org.example.Mirror, x/y)",
        "(org.example.Mirror, z)",
        "(org.example.Own, a/b/c)",
        "(org.example.Own, a/d)",
        "(org.example.Own, main)",
        "(org.example.Own, x/y/stable)",
        "(org.example.Remote, far)",
    ]
    assert mirrored == "(org.example.Mirror, x/y)\n(org.example.Mirror, z)\n"


def test_refs_of_collections_have_revisions_and_a_document(collected: Path) -> None:
    commit = succeed("rev-parse", f"--repo={collected}", "main").strip()

    listed = succeed("refs", f"--repo={collected}", "-c", "-r", "org.example.Mirror")
    document = json.loads(succeed("refs", f"--repo={collected}", "-c", "--json"))

    assert listed.splitlines()[0] == f"(org.example.Mirror, x/y)\t{commit}"
    assert document["refs"][0] == {
        "collection": "org.example.Mirror",
        "name": "x/y",
        "checksum": commit,
    }
    assert len(document["refs"]) == 7


def test_a_ref_of_the_own_collection_is_a_local_one(collected: Path) -> None:
    succeed("refs", f"--repo={collected}", "-c", "--create=org.example.Own:new", "main")

    assert (collected / "refs/heads/new").exists()


def test_the_refs_of_a_collection_are_deleted(collected: Path) -> None:
    """What is kept for it here: refs that were fetched from its remote stay."""
    for collection in ("org.example.Mirror", "org.example.Remote"):
        succeed("refs", f"--repo={collected}", "-c", "--delete", collection)

    listed = succeed("refs", f"--repo={collected}", "-c")
    assert "Mirror" not in listed
    assert "(org.example.Remote, far)" in listed


def test_creating_goes_before_deleting(many: Path) -> None:
    succeed("refs", f"--repo={many}", "--delete", "--create=new", "a/d")

    assert succeed("refs", f"--repo={many}") == "a/b/c\na/d\nmain\nnew\norigin:far\nx/y/stable\n"


def test_all_refs_of_a_remote_are_deleted(many: Path) -> None:
    """The reference stumbles over names of its own making: ``Invalid refspec origin:./far``."""
    succeed("refs", f"--repo={many}", "--delete", "origin:")

    assert "origin" not in succeed("refs", f"--repo={many}")


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "org.example.Mirror",
        "org.example.Remote",
        "org.example.None",
        "bogus",
        "--delete",
        "--delete bogus",
        "--delete org.example.Mirror",
        "--create=org.example.Mirror:z main",
        "--create=org.example.New:z main",
        "--create=org.example.New:z nope",
        "--create=org.example.New:z",
        "--create=bad:z main",
        "--create=nope main",
        "--create=main main",
        "--create=:z main",
        "--create=org.example.New: main",
        "--create=org.example.New:a//b main",
        "-A --create=org.example.New:z main",
    ],
)
def test_output_with_collections_is_the_references(
    words: str, collected: Path, compare: Compare
) -> None:
    if words == "org.example.Mirror":
        # Its own order is that of a hash table.
        succeed("refs", f"--repo={collected}", "-c", "--delete", words)
    compare("refs", f"--repo={collected}", "-c", *words.split())


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


@pytest.mark.parametrize("directory", ["heads", "remotes"])
def test_a_lost_directory_of_refs_is_not_an_empty_one(repo: Path, directory: str) -> None:
    (repo / "refs" / directory).rename(repo / "lost")

    message = fail("refs", f"--repo={repo}")

    assert message == (f"error: Listing refs: opendir(refs/{directory}): No such file or directory")
