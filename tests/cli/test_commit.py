"""``ostree commit``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, ostree, succeed
from ostree.repo import stat_cache
from ostree.system import locks
from support import processes

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle


def test_the_checksum_is_printed_and_the_ref_set(repo: Path, tree: Path) -> None:
    commit = succeed("commit", f"--repo={repo}", "-b", "new/branch", "-s", "Subject", tree)

    assert succeed("rev-parse", f"--repo={repo}", "new/branch") == commit


def test_the_current_directory_is_the_default(
    repo: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)

    succeed("commit", f"--repo={repo}", "-b", "here")

    assert "/hello.txt\n" in succeed("ls", f"--repo={repo}", "here")


def test_a_commit_without_ref(repo: Path, tree: Path) -> None:
    commit = succeed("commit", f"--repo={repo}", "--orphan", tree).strip()

    assert succeed("refs", f"--repo={repo}") == "main\n"
    assert "Parent" not in succeed("show", f"--repo={repo}", commit)


def test_an_unchanged_tree_may_be_skipped(repo: Path, tree: Path) -> None:
    """The parent's checksum is printed; upstream's uninitialised numbers are zeros here."""
    common = ("commit", f"--repo={repo}", "-b", "same", "--skip-if-unchanged", tree)
    first = succeed(*common)

    assert succeed(*common) == first
    assert succeed(*common, "--table-output").splitlines() == [
        f"Commit: {first.strip()}",
        "Metadata Total: 0",
        "Metadata Written: 0",
        "Content Total: 0",
        "Content Written: 0",
        "Content Cache Hits: 0",
        "Content Bytes Written: 0",
    ]


def test_the_environment_can_name_the_boot(repo: Path, tree: Path) -> None:
    """Staging directories of other boots are removed; those of this one are kept."""
    for boot in ("this", "another"):
        (repo / f"tmp/staging-{boot}-AAAAAA/ab").mkdir(parents=True)
    held = os.open(repo / "tmp/staging-this-AAAAAA-lock", os.O_CREAT | os.O_RDWR)
    assert locks.try_lock(held, exclusive=True)

    succeed("commit", f"--repo={repo}", "-b", "t", tree, environ={"OSTREE_BOOTID": "this"})

    os.close(held)
    kept = [name for name in os.listdir(repo / "tmp") if name.startswith("staging-")]
    assert sorted(kept) == ["staging-this-AAAAAA", "staging-this-AAAAAA-lock"]


def test_a_failure_at_the_end_can_be_asked_for(repo: Path, tree: Path) -> None:
    """Nothing is published; the next commit of this boot takes up what is staged."""
    (tree / "new").write_text("new")
    environ = {"OSTREE_REPO_TEST_ERROR": "x;pre-commit", "OSTREE_BOOTID": "this"}
    words = ("commit", f"--repo={repo}", "-b", "x", tree)

    message = fail(*words, environ=environ)

    assert message == "error: OSTREE_REPO_TEST_ERROR_PRE_COMMIT specified"
    assert succeed("refs", f"--repo={repo}") == "main\n"
    assert [name for name in os.listdir(repo / "tmp") if name.startswith("staging-this-")]
    succeed(*words, environ={"OSTREE_BOOTID": "this"})
    assert not [name for name in os.listdir(repo / "tmp") if name.startswith("staging-")]


def test_a_collection_is_bound(tmp_path: Path, tree: Path) -> None:
    repo = tmp_path / "collection"
    succeed("init", f"--repo={repo}", "--collection-id=org.example.C", "--mode=archive")
    succeed("commit", f"--repo={repo}", "-b", "main", "--bind-ref=z", "--bind-ref=a", tree)

    raw = succeed("show", f"--repo={repo}", "--raw", "main")

    assert "{'ostree.ref-binding': <['a', 'main', 'z']>, " in raw
    assert "'ostree.collection-binding': <'org.example.C'>}" in raw


def test_a_read_only_repository_is_refused(repo: Path, tree: Path) -> None:
    (repo / "objects").chmod(0o555)
    code = """
        import sys
        from ostree.cli.main import run

        sys.argv[1:] = ["commit", f"--repo={sys.argv[1]}", "-b", "x", sys.argv[2]]
        sys.exit(run())
    """

    done = processes.run_unprivileged(code, repo, tree)

    (repo / "objects").chmod(0o755)
    assert done.returncode == 1
    assert done.stderr == "error: Cannot write to repository: Permission denied\n"


def test_what_the_parent_says_can_be_kept(repo: Path, tree: Path) -> None:
    """Kept values stand behind those that are given; a key that is missing is named."""
    succeed(
        "commit",
        f"--repo={repo}",
        "--branch=main",
        "--add-metadata=n=[byte 7]",
        "--keep-metadata=version",
        tree,
    )

    raw = succeed("show", f"--repo={repo}", "--raw", "main")
    message = fail("commit", f"--repo={repo}", "-b", "main", "--keep-metadata=k", tree)
    parent = succeed("rev-parse", f"--repo={repo}", "main").strip()

    assert "({'n': <[byte 0x07]>, 'version': <'2'>, 'ostree.ref-binding': <['main']>}" in raw
    assert message == f"error: Missing metadata key 'k' from commit '{parent}'"


def test_composefs_is_not_supported_yet(repo: Path, tree: Path) -> None:
    message = fail("commit", f"--repo={repo}", "-b", "x", "--generate-composefs-metadata", tree)

    assert message == "error: composefs is not supported in this ostree build"


def test_sizes_are_for_archives(repo: Path, tree: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    succeed("init", f"--repo={plain}", "--mode=bare-user")
    for where in (repo, plain):
        succeed("commit", f"--repo={where}", "-b", "x", "--generate-sizes", tree)

    listing = succeed("show", f"--repo={repo}", "--print-sizes", "x")

    assert "Number of objects (needed/total): 0/" in listing
    assert fail("show", f"--repo={plain}", "--print-sizes", "x") == (
        "error: No metadata key ostree.sizes in commit"
    )


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "",
        "--orphan",
        "--orphan -b foo --bind-ref=a",
        "-b foo",
        "-b main",
        "-b origin:foo",
        "-b /foo",
        "-b main --parent=none",
        "-b main --parent=zz",
        "-b main --parent=main",
        "-b main --parent=" + "0" * 64,
        "-b main -F /nonexistent",
        "-b main --timestamp=zz",
        "-b main --timestamp=1700000000",
        "-b main --tree=foo",
        "-b main --tree=x=foo",
        "-b main --tree=dir=/nonexistent",
        "-b main --add-metadata-string=x",
        "-b main --add-metadata-string==x",
        "-b main --add-metadata=x",
        "-b main --add-metadata=x=zz",
        "-b main --add-metadata=x=(1,'a',<uint16 5>) --add-metadata-string=b=c",
        "-b main --add-metadata-string=ostree.ref-binding=x",
        "-b main --add-detached-metadata-string=x",
        "-b main --add-detached-metadata-string=x=y",
        "-b main --no-bindings --bind-ref=x",
        "-b main --canonical-permissions",
        "-b main --canonical-permissions --owner-uid=5",
        "-b main --canonical-permissions --owner-gid=5",
        "-b main --owner-uid=5 --owner-gid=0x10",
        "-b main --owner-uid=abc",
        "-b main --owner-uid=99999999999",
        "-b main --mode-ro-executables",
        "-b main --no-xattrs",
        "-b main --table-output",
        "-b main --fsync=zz",
        "-b main --fsync=false",
        "-b main --disable-fsync",
        "-b main --bogus",
        "-b",
    ],
)
def test_the_result_is_the_references(
    words: str, tmp_path: Path, tree: Path, oracle: Oracle
) -> None:
    """The same words give the same checksum or the same message."""
    argv = [*words.split(), str(tree)]
    if "--timestamp" not in words:
        argv = ["--timestamp=@1000", *argv]
    for name in ("ours", "theirs"):
        succeed("init", f"--repo={tmp_path}/{name}", "--mode=archive")
        succeed("commit", f"--repo={tmp_path}/{name}", "-b", "main", "--timestamp=@0", tree)

    ours = ostree("commit", f"--repo={tmp_path}/ours", *argv)
    theirs = oracle("commit", f"--repo={tmp_path}/theirs", *argv, check=False)

    assert ours == (theirs.returncode, theirs.stdout, theirs.stderr)
    assert succeed("refs", "-r", f"--repo={tmp_path}/ours") == succeed(
        "refs", "-r", f"--repo={tmp_path}/theirs"
    )


def test_files_that_did_not_change_are_not_read(
    repo: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is asked for by option or configuration, and can be done without."""
    monkeypatch.setattr(stat_cache, "_RACY", -(10**12))
    monkeypatch.setattr(stat_cache, "_is_trusted", lambda *_: True)
    common = ("commit", f"--repo={repo}", "-b", "cached", "--table-output", tree)

    def hits(*options: str) -> int:
        table = dict(line.split(": ") for line in succeed(*common, *options).splitlines())
        return int(table["Content Cache Hits"])

    assert (hits(), hits()) == (0, 0)
    assert hits("--stat-cache") == 0
    known = hits("--stat-cache")
    assert known == sum(path.is_file() and not path.is_symlink() for path in tree.rglob("*"))
    assert hits() == 0
    succeed("config", f"--repo={repo}", "set", "core.pyostree-stat-cache", "true")
    assert (hits(), hits("--no-stat-cache")) == (known, 0)
    succeed("config", f"--repo={repo}", "set", "core.pyostree-stat-cache", "maybe")
    assert "pyostree-stat-cache" in fail(*common)
