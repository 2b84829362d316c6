"""``ostree export``."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from cli.running import ENVIRON, misuse, ostree, succeed
from ostree.cli.context import Context, Output
from ostree.cli.main import main
from ostree.system import archive

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not archive.is_available(), reason="libarchive is missing (Debian: libarchive13)"
)


def exported(*argv: str) -> tuple[int, bytes, str]:
    """Exit status, bytes on standard output, and what is on standard error."""
    out, err = io.BytesIO(), io.BytesIO()
    stdout, stderr = (Output(stream, "utf-8", is_terminal=False) for stream in (out, err))
    status = main(["export", *argv], Context(stdout, stderr, ENVIRON))
    return status, out.getvalue(), err.getvalue().decode()


def members(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive.getmembers()}


def test_a_commit_as_an_archive(repo: Path) -> None:
    status, data, err = exported(f"--repo={repo}", "main")

    assert (status, err) == (0, "")
    assert len(data) % 10240 == 0
    found = members(data)
    assert list(found) == [
        ".",
        "dangling",
        "hello.txt",
        "link",
        "bin",
        "bin/run.sh",
        "sub",
        "sub/up",
        "sub/deep",
    ]
    assert found["hello.txt"].size == 6
    assert found["link"].linkname == "hello.txt"
    assert {member.mtime for member in found.values()} == {2000}


def test_equal_files_are_hard_links(repo: Path, tree: Path) -> None:
    """Empty files and symbolic links are not."""
    (tree / "sub" / "same").write_text("hello\n")
    (tree / "sub" / "same").chmod(0o644)
    (tree / "sub" / "same-but-for-the-mode").write_text("hello\n")
    (tree / "sub" / "same-but-for-the-mode").chmod(0o600)
    (tree / "sub" / "same-link").symlink_to("hello.txt")
    for name in ("empty1", "empty2"):
        (tree / name).write_text("")
    succeed("commit", f"--repo={repo}", "-b", "more", tree)

    _, data, _ = exported(f"--repo={repo}", "more", "--prefix=p/")

    found = members(data)
    linked = [name for name, member in found.items() if member.islnk()]
    assert linked == ["p/sub/same"]
    assert found["p/sub/same"].linkname == "p/hello.txt"


def test_a_file_ends_with_the_archive(repo: Path, tmp_path: Path) -> None:
    assert succeed("export", f"--repo={repo}", "main", "-o", tmp_path / "out.tar") == ""

    data = (tmp_path / "out.tar").read_bytes()
    assert len(data) % 10240 != 0
    assert data.endswith(b"\0" * 1024)
    assert "hello.txt" in members(data)


def test_an_error_leaves_the_file_alone(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "out.tar").write_text("precious")
    objects = sorted((repo / "objects").glob("*/*.filez"))
    for path in objects[1:]:
        path.unlink()

    result = ostree("export", f"--repo={repo}", "main", "-o", tmp_path / "out.tar")

    assert result.status == 1
    assert "Couldn't find file object" in result.err
    assert (tmp_path / "out.tar").read_text() == "precious"
    assert not list(tmp_path.glob(".out.tar*"))


def test_errors_on_a_pipe_end_with_an_empty_archive(repo: Path) -> None:
    for words, message in (
        (["nope"], "Refspec 'nope' not found"),
        (["main", "--subpath=nope"], "No such file or directory: /nope"),
        (["main", "--subpath=hello.txt"], "Not a directory"),
    ):
        assert exported(f"--repo={repo}", *words) == (1, b"\0" * 10240, f"error: {message}\n")


def test_an_object_that_is_missing_leaves_the_archive_unfinished(repo: Path) -> None:
    """What unpacks it notices."""
    for path in (repo / "objects").glob("*/*.filez"):
        path.unlink()

    status, data, err = exported(f"--repo={repo}", "main")

    assert status == 1
    assert "Couldn't find file object" in err
    assert data == b""


def test_output_that_cannot_be_written(repo: Path) -> None:
    message = "error: Failed to open '/nodir/x'\n"

    assert ostree("export", f"--repo={repo}", "main", "-o", "/nodir/x") == (1, "", message)


def test_usage_errors(repo: Path) -> None:
    assert misuse("export", f"--repo={repo}") == "error: A COMMIT argument is required"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "main",
        "main^",
        "main --no-xattrs",
        "main --subpath=sub",
        "main --subpath=/sub/deep",
        "main --subpath=/",
        "main --subpath=sub/",
        "main --subpath=",
        "main --subpath=nope",
        "main --subpath=hello.txt/x",
        "main --prefix=p",
        "main --prefix=p/",
        "main --prefix=/abs/olute/",
        "main --prefix=./",
        "main --subpath=sub --prefix=p/q",
        "main more words",
        "nope",
        "-o /nodir/x main",
    ],
)
@pytest.mark.usefixtures("oracle")
def test_bytes_are_the_references(words: str, repo: Path) -> None:
    argv = [f"--repo={repo}", *words.split()]

    theirs = subprocess.run(
        ["/usr/bin/ostree", "export", *argv],
        check=False,
        capture_output=True,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
    )

    assert exported(*argv) == (theirs.returncode, theirs.stdout, theirs.stderr.decode())
