"""``ostree diff``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from cli.running import misuse, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare
    from conftest import Oracle


@pytest.fixture
def changed(repo: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository with a third commit of the tree, changed; the current directory is near it."""
    (tree / "hello.txt").write_text("good bye\n")
    (tree / "bin" / "run.sh").unlink()
    (tree / "bin").rmdir()
    (tree / "bin").write_text("no directory")
    (tree / "new" / "deep").mkdir(parents=True)
    (tree / "new" / "deep" / "file").write_text("x" * 1500)
    (tree / "new" / "a").symlink_to("deep")
    (tree / "sub" / "deep").rmdir()
    (tree / "dangling").unlink()
    (tree / "sub").chmod(0o700)
    owner = ("--owner-uid=0", "--owner-gid=0")
    succeed("commit", f"--repo={repo}", "--branch=main", "--timestamp=@3000", *owner, tree)
    monkeypatch.chdir(tree.parent)
    return repo


def test_modified_then_deleted_then_added(changed: Path) -> None:
    assert succeed("diff", f"--repo={changed}", "main") == (
        "M    /hello.txt\n"
        "M    /bin\n"
        "M    /sub\n"
        "D    /dangling\n"
        "D    /sub/deep\n"
        "A    /new\n"
        "A    /new/a\n"
        "A    /new/deep\n"
        "A    /new/deep/file\n"
    )


def test_paths_of_directories_are_relative(changed: Path, tree: Path) -> None:
    (tree / "link").unlink()
    owner = ("--owner-uid=0", "--owner-gid=0", "--no-xattrs")
    (tree / "added").write_text("")

    out = succeed("diff", f"--repo={changed}", *owner, "main", "./tree")

    assert out == "D    /link\nA    added\n"


def test_sizes(changed: Path) -> None:
    """With sizes, what was in directories that are gone counts."""
    assert succeed("diff", f"--repo={changed}", "--stat", "main") == (
        "M    /hello.txt     | 6 -> 9 bytes\n"
        "M    /bin           | directory -> 12 bytes\n"
        "M    /sub           | directory\n"
        "D    /dangling      | symlink\n"
        "D    /bin/run.sh    | 19 bytes\n"
        "D    /sub/deep      | directory\n"
        "A    /new           | directory\n"
        "A    /new/a         | symlink\n"
        "A    /new/deep      | directory\n"
        "A    /new/deep/file | 1500 bytes\n"
        "10 paths: 3 modified, 3 deleted, 4 added\n"
        "6 bytes -> 21 bytes in modified files, 19 bytes in deleted, 1.5\u00a0kB in added\n"
    )


def test_sizes_where_nothing_changed(repo: Path) -> None:
    assert succeed("diff", f"--repo={repo}", "--stat", "main") == (
        "0 paths: 0 modified, 0 deleted, 0 added\n"
        "0 bytes -> 0 bytes in modified files, 0 bytes in deleted, 0 bytes in added\n"
    )


def test_json(changed: Path) -> None:
    document = json.loads(succeed("diff", f"--repo={changed}", "--json", "--stats", "main"))

    changes = {change["path"]: change for change in document["changes"]}
    assert list(changes) == [
        "/hello.txt",
        "/bin",
        "/sub",
        "/dangling",
        "/bin/run.sh",
        "/sub/deep",
        "/new",
        "/new/a",
        "/new/deep",
        "/new/deep/file",
    ]
    assert changes["/hello.txt"]["change"] == "modified"
    assert changes["/hello.txt"]["old"] == {
        "type": "file",
        "mode": "0100644",
        "uid": 0,
        "gid": 0,
        "size": 6,
    }
    assert changes["/dangling"]["old"]["target"] == "nowhere"
    assert changes["/dangling"]["new"] is None
    assert changes["/bin"]["old"]["type"] == "directory"
    assert changes["/bin"]["new"]["size"] == 12
    assert document["totals"]["added"] == {"paths": 4, "bytes_before": 0, "bytes_after": 1500}
    assert document["totals"]["deleted"] == {"paths": 3, "bytes_before": 19, "bytes_after": 0}
    assert document["totals"]["modified"] == {"paths": 3, "bytes_before": 6, "bytes_after": 21}
    assert document["objects"]["common"] > 0


def test_json_of_local_names_that_are_not_utf8(changed: Path, tree: Path) -> None:
    os.mkfifo(os.fsencode(tree) + b"/\xff")
    owner = ("--owner-uid=0", "--owner-gid=0", "--no-xattrs")

    document = json.loads(succeed("diff", f"--repo={changed}", *owner, "--json", "main", tree))

    (change,) = document["changes"]
    assert (change["path"], change["path_base64"]) == ("\\xff", "/w==")
    assert change["new"]["type"] == "other"


def test_usage_errors(repo: Path) -> None:
    assert misuse("diff", f"--repo={repo}") == "error: REV must be specified"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "main",
        "main^ main",
        "main main^",
        "main main",
        "main^ main^^",
        "--stats main",
        "--stats --fs-diff main main^",
        "--fs-diff main",
        "--no-xattrs main^ main",
        "main^^^",
        "main^^^^",
        "main nope",
        "nope main",
        "nope",
        "main main^ extra",
        "main ./nope",
        "./nope main",
        "./tree",
        "--stats main ./tree",
        "./tree/hello.txt main",
        "main .",
        "main tree/",
        "--owner-uid=abc main",
    ],
)
def test_output_is_the_references(words: str, changed: Path, compare: Compare) -> None:
    compare("diff", f"--repo={changed}", *words.split())


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "main ./tree",
        "main^ ./tree",
        "./tree main",
        "./tree main^",
        "./tree ./tree",
        "./tree/sub ./tree/new",
        "--owner-uid=0 --owner-gid=0 main ./tree",
        "--owner-uid=7 main ./tree",
        "--owner-gid=7 ./tree ./tree",
        "--owner-gid=7 ./tree main",
        "--no-xattrs main ./tree",
    ],
)
def test_local_paths_are_the_references(
    words: str, changed: Path, tree: Path, oracle: Oracle
) -> None:
    """The reference lists local directories in the order of the disk; we list them by name."""
    os.setxattr(tree / "sub" / "up", "trusted.t", b"1", follow_symlinks=False)
    os.mkfifo(tree / "pipe")
    argv = ["diff", f"--repo={changed}", *words.split()]

    theirs = oracle(*argv).stdout

    assert sorted(succeed(*argv).splitlines()) == sorted(theirs.splitlines())
