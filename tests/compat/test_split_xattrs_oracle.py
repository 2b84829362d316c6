"""Repositories with attributes as objects: the reference reads what we write, and we read its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, succeed
from support.vectors import IS_ROOT, make_tree

if TYPE_CHECKING:
    from conftest import Oracle

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(not IS_ROOT, reason="owners are on the inodes, which takes root"),
]

FIXTURE = Path("/usr/libexec/installed-tests/libostree/bare-split-xattrs-basic.tar.xz")
COMMIT = "d614c428015227259031b0f19b934dade908942fd71c49047e0daa70e7800a5d"
ALLOWED = {"OSTREE_EXP_WRITE_BARE_SPLIT_XATTRS": "1"}


def new_repo(path: Path, mode: str = "bare-split-xattrs") -> Path:
    succeed("init", f"--repo={path}", f"--mode={mode}")
    return path


def import_tree(repo: Path, tree: Path, branch: str = "main") -> str:
    """Commit a tree elsewhere and pull it, which writes completely; its checksum."""
    bare = repo.with_name("elsewhere")
    if not bare.exists():
        new_repo(bare, "bare")
    checksum = succeed("commit", f"--repo={bare}", "-b", branch, "--timestamp=@1", tree)
    succeed("pull-local", f"--repo={repo}", bare, branch, environ=ALLOWED)
    return checksum


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Tree T with a few owners, modes and attributes more."""
    tree = make_tree(tmp_path / "tree")
    os.chown(tree / "hello.txt", 12, 34)
    (tree / "bin/run.sh").chmod(0o4755)
    for name in ("bin/run.sh", "hello.txt", "sub"):
        os.setxattr(tree / name, "user.a", b"1")
    os.setxattr(tree / "link", "trusted.b", b"2", follow_symlinks=False)
    return tree


@pytest.mark.skipif(not FIXTURE.exists(), reason="Debian's ostree-tests is not installed")
def test_the_reference_repository_is_read(tmp_path: Path, oracle: Oracle) -> None:
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(tmp_path, filter="fully_trusted")
    repo = tmp_path / "repo"

    verified = succeed("fsck", f"--repo={repo}")
    listed = succeed("ls", f"--repo={repo}", "-RX", COMMIT)

    assert "no errors found" in verified
    assert listed == oracle(f"--repo={repo}", "ls", "-RX", COMMIT).stdout


def test_content_is_refused_unless_the_environment_allows_it(tmp_path: Path, tree: Path) -> None:
    repo = new_repo(tmp_path / "repo")

    message = fail("commit", f"--repo={repo}", "--orphan", tree)

    assert message == "error: Writing content object: Not allowed due to repo mode"


def test_allowed_commits_are_as_incomplete_as_the_reference_makes_them(
    tmp_path: Path, tree: Path, oracle: Oracle
) -> None:
    ours, theirs = new_repo(tmp_path / "ours"), new_repo(tmp_path / "theirs")

    succeed("commit", f"--repo={ours}", "-b", "main", "--timestamp=@1", tree, environ=ALLOWED)
    subprocess.run(
        ["ostree", f"--repo={theirs}", "commit", "-b", "main", "--timestamp=@1", tree],
        env={**os.environ, **ALLOWED},
        check=True,
        stdout=subprocess.DEVNULL,
    )

    assert stored(ours) == stored(theirs)
    messages = sorted(fail_with_all("fsck", f"--repo={ours}").splitlines())
    assert messages == sorted(oracle(f"--repo={theirs}", "fsck", check=False).stderr.splitlines())


def stored(repo: Path) -> dict[str, tuple[object, ...]]:
    """What is in the files of the objects of a repository, and on their inodes."""
    return {
        str(path.relative_to(repo)): (
            path.is_symlink(),
            path.read_bytes(),
            *(path.lstat().st_mode, path.lstat().st_uid, path.lstat().st_gid),
            os.listxattr(path),
            path.lstat().st_mtime if path.suffix == ".file" else None,
        )
        for path in sorted(repo.glob("objects/*/*"))
    }


def test_the_reference_reads_our_imports(tmp_path: Path, tree: Path, oracle: Oracle) -> None:
    repo, bare = new_repo(tmp_path / "repo"), new_repo(tmp_path / "bare", "bare")

    ours = import_tree(repo, tree)
    theirs = oracle(f"--repo={bare}", "commit", "-b", "main", "--timestamp=@1", str(tree)).stdout

    assert ours == theirs
    assert "no errors found" in oracle(f"--repo={repo}", "fsck").stdout
    listings = [oracle(f"--repo={path}", "ls", "-RX", "main").stdout for path in (repo, bare)]
    assert listings[0] == listings[1]


@pytest.mark.parametrize("linked", [True, False])
def test_pulls_between_them_take_attributes_along(
    tmp_path: Path, tree: Path, oracle: Oracle, linked: bool
) -> None:
    """By link, without being allowed to write anything new, or by copy."""
    source, repo = new_repo(tmp_path / "source"), new_repo(tmp_path / "repo")
    import_tree(source, tree)
    if not linked:
        os.chown(repo, 1, 1)

    environ = None if linked else ALLOWED
    succeed("pull-local", f"--repo={repo}", source, "main", environ=environ)

    assert "no errors found" in oracle(f"--repo={repo}", "fsck").stdout
    assert "no errors found" in succeed("fsck", f"--repo={repo}")
    inodes = [
        sorted(path.lstat().st_ino for path in place.glob("objects/*/*.file"))
        for place in (source, repo)
    ]
    assert (inodes[0] == inodes[1]) is linked


@pytest.mark.parametrize("mode", ["bare", "archive", "bare-user"])
def test_pulls_from_and_to_other_modes(
    tmp_path: Path, tree: Path, oracle: Oracle, mode: str
) -> None:
    first, second = new_repo(tmp_path / "first", mode), new_repo(tmp_path / "second")
    third = new_repo(tmp_path / "third", mode)
    oracle(f"--repo={first}", "commit", "-b", "main", str(tree))

    succeed("pull-local", f"--repo={second}", first, "main", environ=ALLOWED)
    succeed("pull-local", f"--repo={third}", second, "main")

    for repo in (second, third):
        assert "no errors found" in oracle(f"--repo={repo}", "fsck").stdout
    assert (
        oracle(f"--repo={third}", "ls", "-RXC", "main").stdout
        == oracle(f"--repo={first}", "ls", "-RXC", "main").stdout
    )


def test_prune_leaves_no_attributes_behind(tmp_path: Path, tree: Path, oracle: Oracle) -> None:
    repo = new_repo(tmp_path / "repo")
    import_tree(repo, tree)
    os.setxattr(tree / "sub/big.txt", "user.new", b"x")
    import_tree(repo, tree, "gone")
    before = {path.name for path in repo.glob("objects/*/*xattrs*")}

    succeed("refs", f"--repo={repo}", "--delete", "gone")
    succeed("prune", f"--repo={repo}", "--refs-only", "--depth=0")

    after = {path.name for path in repo.glob("objects/*/*xattrs*")}
    assert after < before
    assert len([name for name in after if name.endswith("-link")]) == len(
        list(repo.glob("objects/*/*.file"))
    )
    for path in repo.glob("objects/*/*.file-xattrs"):
        assert path.stat().st_nlink > 1
        assert path.parent.name + path.name.partition(".")[0] == digest(path)
    assert "no errors found" in oracle(f"--repo={repo}", "fsck").stdout


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_missing_attributes_object_is_a_missing_file(
    tmp_path: Path, tree: Path, oracle: Oracle
) -> None:
    repo = new_repo(tmp_path / "repo")
    import_tree(repo, tree)
    copy = tmp_path / "copy"
    next(repo.glob("objects/*/*.file-xattrs-link")).unlink()
    subprocess.run(["cp", "-a", repo, copy], check=True)

    ours = fail_with_all("fsck", f"--repo={repo}")
    theirs = oracle(f"--repo={copy}", "fsck", check=False)

    assert ours == theirs.stderr


def fail_with_all(*argv: str) -> str:
    from cli.running import ostree

    result = ostree(*argv)
    assert result.status == 1
    return result.err
