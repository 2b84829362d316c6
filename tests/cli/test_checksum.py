"""``ostree checksum``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to be in, with one of each kind."""
    files = tmp_path / "files"
    (files / "dir").mkdir(parents=True)
    (files / "file").write_text("x")
    (files / "link").symlink_to("dir")
    (files / "dangling").symlink_to("nowhere")
    os.setxattr(files / "file", "user.a", b"1")
    os.setxattr(files / "dir", "user.a", b"1")
    os.mkfifo(files / "pipe")
    monkeypatch.chdir(files)
    return files


def test_it_is_the_checksum_of_the_commit(repo: Path, files: Path) -> None:
    succeed("commit", f"--repo={repo}", "-b", "here", files / "dir")
    (files / "dir" / "f").write_text("y")
    succeed("commit", f"--repo={repo}", "-b", "here", files / "dir")

    listing = succeed("ls", f"--repo={repo}", "-C", "here")

    for path in ("dir", "dir/f"):
        assert succeed("checksum", path).strip() in listing


def test_attributes_can_be_left_out(files: Path) -> None:
    with_them = succeed("checksum", "file")

    without = succeed("checksum", "--ignore-xattrs", "file")

    os.removexattr(files / "file", "user.a")
    assert with_them != without == succeed("checksum", "file")


def test_without_a_path() -> None:
    assert fail("checksum") == "error: A filename must be given"


@pytest.mark.usefixtures("files")
def test_a_target_that_is_not_utf8_is_refused() -> None:
    """The reference takes the checksum of another link, with a warning."""
    os.symlink(b"\xff", b"bad")

    assert fail("checksum", "bad") == "error: Invalid UTF-8 in symlink target ?"


@pytest.mark.oracle
@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("option", [[], ["--ignore-xattrs"]])
@pytest.mark.parametrize(
    "words",
    [
        ["file"],
        ["./file"],
        ["dir"],
        ["dir/"],
        ["."],
        [".."],
        ["/"],
        ["link"],
        ["link/"],
        ["dangling"],
        ["pipe"],
        ["file", "dir"],
        ["file/"],
        ["file/x"],
        ["nope"],
        ["nope/x"],
        [""],
        [],
        ["--repo=x", "file"],
    ],
    ids=" ".join,
)
def test_output_is_the_references(option: list[str], words: list[str], compare: Compare) -> None:
    compare("checksum", *option, *words)
