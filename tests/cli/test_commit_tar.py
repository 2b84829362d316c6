"""``ostree commit --tree=tar=…``."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, succeed
from ostree.system import archive
from support.archives import ROOT, directory, file, hardlink, symlink, tar

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare

pytestmark = pytest.mark.skipif(
    not archive.is_available(), reason="libarchive is missing (Debian: libarchive13)"
)


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with archives that have and lack the entries of directories."""
    place = tmp_path / "archives"
    place.mkdir()
    whole = (ROOT, directory("etc"), file("etc/f", b"hi", 0o4755, uid=1, gid=2))
    (place / "a.tar").write_bytes(tar(*whole, hardlink("h", "etc/f"), symlink("s", "etc")))
    (place / "b.tar").write_bytes(tar(directory("./", 0o700), file("h", b"other")))
    (place / "partial.tar").write_bytes(tar(file("x/y/f", uid=5, gid=6), hardlink("l", "x/y/f")))
    (place / "garbage").write_bytes(b"garbage" * 100)
    (place / "skip").write_text("/etc/f\n")
    (place / "modes").write_text("2048 /h\n=448 /etc\n")
    monkeypatch.chdir(place)
    return place


def test_an_archive_becomes_a_commit(repo: Path, archives: Path) -> None:
    succeed("commit", f"--repo={repo}", "-b", "tar", "--tree=tar=a.tar", "--tree=tar=b.tar")

    assert succeed("ls", f"--repo={repo}", "-R", "tar") == (
        "d00700 0 0      0 /\n"
        "-00644 0 0      5 /h\n"
        "l00777 0 0      0 /s -> etc\n"
        "d00755 0 0      0 /etc\n"
        "-04755 1 2      2 /etc/f\n"
    )


def test_standard_input(repo: Path, archives: Path) -> None:
    argv = ["commit", f"--repo={repo}", "--orphan", "--no-bindings", "--timestamp=@0"]
    expected = succeed(*argv, "--tree=tar=a.tar")

    result = subprocess.run(
        [sys.executable, "-m", "ostree", *argv, "--tree=tar=-"],
        check=True,
        input=(archives / "a.tar").read_bytes(),
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )

    assert result.stdout.decode() == expected


def test_errors_name_the_archive_and_change_nothing(repo: Path, archives: Path) -> None:
    refs = succeed("refs", f"--repo={repo}")

    message = fail("commit", f"--repo={repo}", "-b", "tar", "--tree=tar=garbage")

    assert message == "error: archive_read_open_filename: Unrecognized archive format"
    assert succeed("refs", f"--repo={repo}") == refs


@pytest.mark.oracle
@pytest.mark.usefixtures("archives")
@pytest.mark.parametrize(
    "words",
    [
        "--tree=tar=a.tar",
        "--tree=tar=a.tar --canonical-permissions",
        "--tree=tar=a.tar --owner-uid=7 --no-xattrs --mode-ro-executables",
        "--tree=tar=a.tar --tree=tar=b.tar",
        "--tree=tar=b.tar --tree=tar=a.tar --statoverride=modes",
        "--tree=tar=b.tar --tree=tar=partial.tar",
        "--base=main --tree=tar=b.tar",
        "--tree=tar=partial.tar",
        "--tree=tar=partial.tar --tar-autocreate-parents",
        "--tree=tar=partial.tar --tar-autocreate-parents --owner-uid=7 --owner-gid=8",
        "--tree=tar=a.tar --skip-list=skip",
        "--tree=tar=b.tar --skip-list=skip",
        "--tree=tar=a.tar --tar-pathname-filter=^etc/,usr/etc/ --tar-autocreate-parents",
        "--tree=tar=a.tar --tar-pathname-filter=^etc/,usr/etc/",
        "--tree=tar=a.tar --tar-pathname-filter=x",
        "--tree=tar=a.tar --tar-pathname-filter=(etc,x",
        "--tree=tar=nope --tar-pathname-filter=x",
        "--tree=dir=nope --tar-pathname-filter=x",
        "--tree=tar=nope",
        "--tree=tar=.",
        "--tree=tar=garbage",
    ],
)
def test_output_is_the_references(words: str, repo: Path, compare: Compare) -> None:
    """Checksums, statistics and messages; what the first writes the second one finds."""
    argv = [f"--repo={repo}", "--orphan", "--no-bindings", "--timestamp=@0", *words.split()]
    if "nope" not in words:
        compare("commit", *argv)

    compare("commit", "--table-output", *argv)
