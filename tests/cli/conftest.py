"""A small tree, and a repository with a commit of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import ostree, succeed, without_our_options
from support.openpgp import KeyMaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.running import Result
    from conftest import Oracle

    Compare = Callable[..., Result]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with a file, an executable, links and subdirectories."""
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "sub" / "deep").mkdir(parents=True)
    (tree / "hello.txt").write_text("hello\n")
    (tree / "bin" / "run.sh").write_text("#!/bin/sh\necho run\n")
    (tree / "link").symlink_to("hello.txt")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "sub" / "up").symlink_to("/hello.txt")
    for path in (tree, tree / "bin", tree / "sub", tree / "sub" / "deep", tree / "bin" / "run.sh"):
        path.chmod(0o755)
    (tree / "hello.txt").chmod(0o644)
    return tree


@pytest.fixture
def repo(tmp_path: Path, tree: Path) -> Path:
    """An archive repository whose ref ``main`` has two commits of the tree, owned by 0:0."""
    repo = tmp_path / "repo"
    succeed("init", f"--repo={repo}", "--mode=archive")
    owner = ("--owner-uid=0", "--owner-gid=0", "--no-xattrs")
    for number in (1, 2):
        succeed(
            "commit",
            f"--repo={repo}",
            "--branch=main",
            f"--subject=Number {number}",
            "--body=First line\n\nlast line",
            f"--timestamp=@{number}000",
            f"--add-metadata-string=version={number}",
            *owner,
            tree,
        )
    return repo


@pytest.fixture
def compare(oracle: Oracle) -> Compare:
    """Runs a command here and as the reference; status, output and errors have to be the same.

    Of help, lines of options that are our own are left out.
    """

    def run(*argv: str) -> Result:
        ours = ostree(*argv)
        theirs = oracle(*argv, check=False)
        # Help shows the program's name as it was called.
        out, err = (
            text.replace("Usage:\n  /usr/bin/", "Usage:\n  ")
            for text in (theirs.stdout, theirs.stderr)
        )
        our_texts = map(without_our_options, (ours.out, ours.err))
        assert (ours.status, *our_texts) == (theirs.returncode, out, err)
        return ours

    return run


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyMaker]:
    """A GnuPG home with the keys of ``one@example.org`` and ``two@example.org``."""
    with KeyMaker(tmp_path_factory.mktemp("gnupg") / "home") as maker:
        maker.make("One <one@example.org>")
        maker.make("Two <two@example.org>")
        yield maker


@pytest.fixture
def trusted(keys: KeyMaker, tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that trusts the key of ``one@example.org``."""
    directory = tmp_path / "trusted.gpg.d"
    directory.mkdir()
    (directory / "one.gpg").write_bytes(keys.export("one@example.org"))
    return {"OSTREE_GPG_HOME": str(directory)}
