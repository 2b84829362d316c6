"""``ostree fsck``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare

PHASES = (
    "Validating refs...\nValidating refs in collections...\nEnumerating commits...\n"
    "Verifying content integrity of 2 commit objects...\n"
)


def object_path(repo: Path, checksum: str, extension: str) -> Path:
    return repo / "objects" / checksum[:2] / f"{checksum[2:]}.{extension}"


def file_checksum(repo: Path, path: str) -> str:
    return succeed("ls", f"--repo={repo}", "-C", "main", path).split()[4]


def test_a_sound_repository(repo: Path) -> None:
    out = succeed("fsck", f"--repo={repo}")

    assert out.startswith(PHASES + "fsck objects (1/")
    assert "100%\n" in out
    assert out.endswith("object fsck of 2 commits completed successfully - no errors found.\n")


def test_quiet_leaves_out_the_phases_only(repo: Path) -> None:
    loud = succeed("fsck", f"--repo={repo}")

    assert succeed("fsck", f"--repo={repo}", "-q") == loud.removeprefix(PHASES)


def test_progress_on_a_terminal_stays_in_one_line(repo: Path) -> None:
    result = ostree("fsck", f"--repo={repo}", terminal=True)

    assert "\0337\0338fsck objects (1/" in result.out
    assert "100%\nobject fsck" in result.out


def test_a_missing_object_fails_the_check_and_later_ones(repo: Path) -> None:
    """The commits are marked, so that nobody takes them for complete."""
    checksum = file_checksum(repo, "hello.txt")
    object_path(repo, checksum, "filez").unlink()

    first = ostree("fsck", f"--repo={repo}")
    second = ostree("fsck", f"--repo={repo}")

    assert first.status == second.status == 1
    assert f": {checksum}.file\n" in first.err
    assert first.err.endswith("error: Repository corruption encountered\n")
    assert second.out.endswith("2 partial commits not verified\n")
    assert second.err == "error: 2 partial commits from fsck-detected corruption\n"


def test_damage_stops_unless_all_is_asked_for(repo: Path) -> None:
    checksum = file_checksum(repo, "hello.txt")
    other = file_checksum(repo, "bin/run.sh")
    path = object_path(repo, checksum, "filez")
    path.write_bytes(object_path(repo, other, "filez").read_bytes())

    first = ostree("fsck", f"--repo={repo}")
    everything = ostree("fsck", f"--repo={repo}", "--all")
    deleting = ostree("fsck", f"--repo={repo}", "--delete")

    found = f"fsck content object {checksum}: Corrupted file object; checksum expected='{checksum}'"
    assert first.err.startswith("error: In commits ")
    assert found in first.err
    assert everything.err.startswith("In commits ")
    assert everything.err.endswith("error: Repository corruption encountered\n")
    assert deleting.status == 1
    assert not path.exists()


def test_missing_parents_get_tombstones(repo: Path) -> None:
    """The reference deletes the commit that has the missing parent instead."""
    head, parent = succeed("rev-parse", f"--repo={repo}", "main", "main^").split()
    object_path(repo, parent, "commit").unlink()

    out = succeed("fsck", f"--repo={repo}", "-q", "--add-tombstones")

    assert out.splitlines()[-2:] == [
        f"Adding tombstone for commit {parent}",
        "object fsck of 1 commits completed successfully - no errors found.",
    ]
    assert object_path(repo, parent, "tombstone-commit").exists()
    assert object_path(repo, head, "commit").exists()
    assert "tombstone-commits=true" in (repo / "config").read_text()


def test_with_tombstones_partial_commits_are_not_counted(repo: Path) -> None:
    for commit in succeed("rev-parse", f"--repo={repo}", "main", "main^").split():
        (repo / f"state/{commit}.commitpartial").touch()

    out = succeed("fsck", f"--repo={repo}", "-q", "--add-tombstones")

    assert out == "object fsck of 0 commits completed successfully - no errors found.\n"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "",
        "-q",
        "-a",
        "--verify-bindings",
        "--delete",
        "--verify-back-refs",
        "-q --verify-bindings --add-tombstones",
    ],
)
def test_output_is_the_references(words: str, repo: Path, compare: Compare) -> None:
    compare("fsck", f"--repo={repo}", *words.split())


@pytest.mark.oracle
def test_unbound_refs_are_found(repo: Path, compare: Compare) -> None:
    succeed("refs", f"--repo={repo}", "--create=alt", "main")

    assert compare("fsck", f"--repo={repo}", "--verify-bindings").status == 1
