"""``ostree prune``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cli.running import ostree, succeed
from ostree.cli.commands.prune import parse_retained
from ostree.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Compare

    Put = Callable[[str, str], str]


@pytest.fixture
def line(repo: Path, tree: Path) -> list[str]:
    """The four commits of ``main``, the newest first, each with a file of its own."""
    for number in (3, 4):
        (tree / "hello.txt").write_text(f"hello {number}\n")
        succeed("commit", f"--repo={repo}", "-b", "main", f"--timestamp=@{number}000", tree)
    log = succeed("log", f"--repo={repo}", "main").splitlines()
    return [text.split()[1] for text in log if text.startswith("commit ")]


def commits(repo: Path) -> set[str]:
    return {path.parent.name + path.stem for path in repo.glob("objects/*/*.commit")}


def tombstones(repo: Path) -> set[str]:
    return {path.parent.name + path.stem for path in repo.glob("objects/*/*.tombstone-commit")}


def test_nothing_goes_while_every_commit_keeps_itself(repo: Path, line: list[str]) -> None:
    out = succeed("prune", f"--repo={repo}")

    assert out.endswith("\nNo unreachable objects\n")
    assert commits(repo) == set(line)


def test_history_goes_beyond_the_depth(repo: Path, line: list[str]) -> None:
    out = succeed("prune", f"--repo={repo}", "--refs-only", "--depth=1")

    total, deleted = out.splitlines()
    assert total.startswith("Total objects: ")
    assert deleted.startswith("Deleted ")
    assert deleted.endswith(" freed")
    assert commits(repo) == set(line[:2])


@pytest.mark.parametrize("option", ["--no-prune", "--dry-run"])
def test_looking_deletes_nothing(repo: Path, line: list[str], option: str) -> None:
    before = sorted(repo.rglob("*"))

    out = succeed("prune", f"--repo={repo}", "--refs-only", "--depth=0", option)

    assert "\nWould delete: " in out
    assert sorted(repo.rglob("*")) == before


def test_a_dry_run_names_types_and_commits(repo: Path, line: list[str]) -> None:
    out = succeed("prune", f"--repo={repo}", "--refs-only", "--depth=1", "--dry-run")

    lines = out.splitlines()
    assert lines[2].startswith("  commit: 2, ")
    assert lines[-2:] == [f"Commit {commit}" for commit in sorted(line[2:])]


@pytest.mark.parametrize("options", [["--dry-run"], []])
def test_the_document_says_the_same(repo: Path, line: list[str], options: list[str]) -> None:
    told = succeed("prune", f"--repo={repo}", "--refs-only", "--depth=0", "--no-prune").split()

    document = json.loads(
        succeed("prune", f"--repo={repo}", "--refs-only", "--depth=0", "--json", *options)
    )

    assert document["dry_run"] is bool(options)
    assert document["objects_total"] == int(told[2])
    assert document["objects_deleted"] == int(told[5])
    assert document["by_type"]["commit"]["objects"] == 3
    assert sum(type["objects"] for type in document["by_type"].values()) == int(told[5])
    assert sum(type["bytes"] for type in document["by_type"].values()) == document["bytes_freed"]
    assert document["commits"] == sorted(line[1:])
    assert commits(repo) == (set(line) if options else {line[0]})


def test_age_keeps_what_is_young_and_every_head(repo: Path, line: list[str]) -> None:
    succeed("prune", f"--repo={repo}", "--keep-younger-than=@3000")

    assert commits(repo) == set(line[:2])


def test_a_commit_is_deleted_by_its_checksum(repo: Path, line: list[str]) -> None:
    """Its line ends there; what is left keeps itself, and a tombstone remembers it."""
    succeed("prune", f"--repo={repo}", f"--delete-commit={line[2]}")

    assert commits(repo) == {line[0], line[1], line[3]}
    assert tombstones(repo) == {line[2]}
    assert "tombstone-commits=true" in (repo / "config").read_text()


def test_a_tombstone_is_what_upstream_writes(repo: Path, line: list[str]) -> None:
    succeed("prune", f"--repo={repo}", f"--delete-commit={line[2]}")

    path = repo / "objects" / line[2][:2] / f"{line[2][2:]}.tombstone-commit"
    assert path.read_bytes() == b"commit\0\0" + line[2].encode() + b"\0\0ay\x07M"
    assert path.stat().st_mode & 0o7777 == 0o644


def test_deleting_a_commit_can_be_tried(repo: Path, line: list[str]) -> None:
    before = sorted(repo.rglob("*"))
    config = (repo / "config").read_text()

    out = succeed(
        "prune", f"--repo={repo}", "--refs-only", f"--delete-commit={line[2]}", "--dry-run"
    )

    # What came before it would be out of reach.
    assert out.splitlines()[-2:] == [f"Commit {commit}" for commit in sorted(line[2:])]
    assert sorted(repo.rglob("*")) == before
    assert (repo / "config").read_text() == config


def test_a_referenced_commit_stays(repo: Path, line: list[str]) -> None:
    result = ostree("prune", f"--repo={repo}", f"--delete-commit={line[0]}")

    assert result == (1, "", f"error: Commit '{line[0]}' is referenced by 'main'\n")
    assert commits(repo) == set(line)


@pytest.mark.parametrize("text", ["main", "zz", "", "../../config", "a"])
def test_only_a_checksum_deletes(repo: Path, text: str) -> None:
    before = sorted(repo.rglob("*"))

    result = ostree("prune", f"--repo={repo}", f"--delete-commit={text}")

    assert result.status == 1
    assert result.err.startswith(f"error: Deleting object {text}.commit: unlinkat(")
    assert sorted(repo.rglob("*")) == before


def test_bad_options_leave_everything_alone(repo: Path, line: list[str]) -> None:
    """Upstream would have deleted the commit by then."""
    result = ostree(
        "prune", f"--repo={repo}", f"--delete-commit={line[1]}", "--keep-younger-than=garbage"
    )

    assert result.err == "error: Could not parse 'garbage'\n"
    assert commits(repo) == set(line)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("main=5", ("main", 5)),
        ("o:a/b=-1", ("o:a/b", -1)),
        ("main= 12x", ("main", 12)),
        ("main=+1", ("main", 1)),
        ("main=0x10", ("main", 0)),
        ("=3", ("", 3)),
    ],
)
def test_depths_are_read_as_in_c(argument: str, expected: tuple[str, int]) -> None:
    assert parse_retained(argument) == expected


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("main", "Invalid value main, must specify BRANCH=DEPTH"),
        ("main=", "Invalid depth "),
        ("main=BACON", "Invalid depth BACON"),
        ("a=b=1", "Invalid depth b=1"),
        ("main=-", "Invalid depth -"),
        ("main=4294967297", "Out of range depth 4294967297"),
        ("main=" + "9" * 5000, "Out of range depth " + "9" * 5000),
    ],
)
def test_other_depths_are_refused(argument: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_retained(argument)

    assert str(caught.value) == message


def test_a_repository_that_cannot_be_written_can_be_looked_at(
    repo: Path, line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_, **__: False)

    looked = ostree("prune", f"--repo={repo}", "--refs-only", "--no-prune")
    pruned = ostree("prune", f"--repo={repo}", "--refs-only")

    assert looked.out.endswith("\nNo unreachable objects\n")
    assert pruned == (1, "", "error: Cannot write to repository: Permission denied\n")


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "--no-prune",
        "--no-prune --refs-only",
        "--no-prune --refs-only --depth=0",
        "--no-prune --refs-only --depth=-2",
        "--no-prune --refs-only --depth=0 --commit-only",
        "--no-prune --keep-younger-than=@3000",
        "--no-prune --keep-younger-than=garbage",
        "--no-prune --only-branch=main --depth=1",
        "--no-prune --only-branch=nosuch",
        "--no-prune --only-branch=a:b:c",
        "--no-prune --retain-branch-depth=main=1",
        "--no-prune --retain-branch-depth=main=0 --depth=0",
        "--no-prune --retain-branch-depth=main",
        "--no-prune --retain-branch-depth=main=x",
        "--depth=abc",
        "--static-deltas-only",
        "--no-prune --delete-commit=main",
        "--delete-commit=main",
        "--delete-commit=0",
        "--delete-commit=",
        "--static-deltas-only --delete-commit=main",
    ],
)
def test_output_is_the_references(
    words: str, repo: Path, line: list[str], compare: Compare
) -> None:
    argv = ["prune", f"--repo={repo}", *words.split()]
    if "--delete-commit" in words and "--no-prune" in words:
        # Our help has more options.
        assert ostree(*argv).err.endswith(
            "\n\nerror: Cannot specify both --delete-commit and --no-prune\n"
        )
    else:
        compare(*argv)
