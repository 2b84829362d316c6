"""``ostree init``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle


def test_a_repository_is_bare_unless_told_otherwise(tmp_path: Path) -> None:
    assert succeed("init", f"--repo={tmp_path}/r") == ""

    assert (tmp_path / "r" / "config").read_text() == "[core]\nrepo_version=1\nmode=bare\n"


@pytest.mark.parametrize(
    ("mode", "stored"),
    [("archive", "archive-z2"), ("bare-user", "bare-user"), ("bare-user-only", "bare-user-only")],
)
def test_the_mode_is_stored(mode: str, stored: str, tmp_path: Path) -> None:
    succeed("init", f"--repo={tmp_path}/r", "--mode", mode)

    assert f"mode={stored}\n" in (tmp_path / "r" / "config").read_text()


def test_a_second_init_changes_nothing(tmp_path: Path) -> None:
    succeed("init", f"--repo={tmp_path}/r", "--mode=archive")
    before = (tmp_path / "r" / "config").read_bytes()

    succeed("init", f"--repo={tmp_path}/r", "--mode=bare", "--collection-id=org.example.C")

    assert (tmp_path / "r" / "config").read_bytes() == before


def test_a_collection_is_stored(tmp_path: Path) -> None:
    succeed("init", f"--repo={tmp_path}/r", "--collection-id=org.example.C")

    assert "collection-id=org.example.C\n" in (tmp_path / "r" / "config").read_text()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--mode=bogus", "error: Invalid mode 'bogus' in repository configuration"),
        ("--collection-id=bad", "error: Invalid collection ID bad"),
    ],
)
def test_bad_values_are_refused(option: str, message: str, tmp_path: Path) -> None:
    assert fail("init", f"--repo={tmp_path}/r", option) == message


def test_the_path_has_to_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither directory nor environment say where to make a repository."""
    monkeypatch.chdir(tmp_path)

    result = ostree("init", environ={"OSTREE_REPO": str(tmp_path)})

    assert result.status == 1
    assert result.err.endswith("exit\n\nerror: Command requires a --repo argument\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.oracle
def test_the_reference_finds_nothing_missing(tmp_path: Path, oracle: Oracle) -> None:
    succeed("init", f"--repo={tmp_path}/ours", "--mode=archive")
    oracle("init", f"--repo={tmp_path}/theirs", "--mode=archive")

    ours, theirs = (
        {(path.relative_to(root), path.is_dir()) for path in root.rglob("*")}
        for root in (tmp_path / "ours", tmp_path / "theirs")
    )
    later = {".lock", "cache"}  # made when they are needed
    assert ours >= {entry for entry in theirs if entry[0].name not in later}
