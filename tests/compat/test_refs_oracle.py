"""Refs created, moved, aliased and deleted at random: the same files as the reference leaves."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli.running import ostree

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

pytestmark = pytest.mark.oracle

NAMES = ["main", "a", "a/b", "a/b/c", "d", "zz", "o:main", "o:a/b", "p:x"]
COLLECTIONS = ["org.example.Own:a", "org.example.M:a/b", "org.example.M:x", "org.example.R:y"]
REVS = ["main", "main^", "main^^", "o:main", "a", "nope", "zz^"]

names = st.sampled_from(NAMES)
#: Commands; in lists that they print, only the order may differ.
commands = st.one_of(
    st.builds(lambda name, rev: ["refs", f"--create={name}", rev], names, st.sampled_from(REVS)),
    st.builds(
        lambda name, rev: ["refs", f"--create={name}", "--force", rev],
        names,
        st.sampled_from(REVS),
    ),
    st.builds(
        # An alias of a ref of a remote would be broken, and the reference could list no more.
        lambda name, target: ["refs", "-A", f"--create={name}", target],
        st.sampled_from(["al", "x/al", "a/al"]),
        st.sampled_from(["main", "a", "a/b", "d"]),
    ),
    st.builds(lambda name: ["refs", "--delete", name], names),
    st.builds(
        lambda name, rev: ["refs", "-c", f"--create={name}", rev],
        st.sampled_from(COLLECTIONS),
        st.sampled_from(REVS),
    ),
    st.builds(
        lambda name: ["refs", "-c", "--delete", name.partition(":")[0]],
        st.sampled_from(COLLECTIONS),
    ),
    st.builds(lambda ref, rev: ["reset", ref, rev], names, st.sampled_from(REVS)),
    st.just(["refs"]),
    st.just(["refs", "-A"]),
    st.just(["refs", "-c"]),
    st.builds(lambda name: ["refs", name], names),
    st.builds(lambda name: ["refs", "--list", name], names),
    st.builds(lambda name: ["rev-parse", name], st.sampled_from(NAMES + REVS + ["b", "x"])),
)


@pytest.fixture(scope="module")
def base(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a line of three commits, and a remote of a collection."""
    directory = tmp_path_factory.mktemp("refs")
    repo = directory / "repo"
    (directory / "tree").mkdir()
    oracle("init", f"--repo={repo}", "--mode=archive", "--collection-id=org.example.Own")
    for number in range(3):
        argv = ("commit", f"--repo={repo}", "-b", "main", f"--timestamp=@{number}")
        oracle(*argv, directory / "tree")
    oracle("config", f"--repo={repo}", "set", '--group=remote "o"', "url", "http://127.0.0.1/")
    group = '--group=remote "o"'
    oracle("config", f"--repo={repo}", "set", group, "collection-id", "org.example.R")
    return repo


def ref_files(repo: Path) -> dict[str, str]:
    """Every file, link and directory below refs, with what it holds."""
    found = {}
    for path in sorted((repo / "refs").rglob("*")):
        name = str(path.relative_to(repo))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        else:
            found[name] = "" if path.is_dir() else path.read_text()
    return found


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(commands, min_size=1, max_size=12))
@example([["refs", "--create=o:a/b", "main"], ["refs", "--create=a", "a"]])
@example([["refs", "--create=p:x", "main"], ["refs", "-A", "--create=x/al", "main"]])
@example([["refs", "--create=p:x", "main"], ["refs", "--create=a", "x/al"]])
def test_the_same_refs_are_left(
    base: Path, oracle: Oracle, tmp_path: Path, history: list[list[str]]
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for copy in (ours, theirs):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(base, copy, symlinks=True)

    for command, *words in history:
        said = ostree(command, f"--repo={ours}", *words)
        expected = oracle(command, f"--repo={theirs}", *words, check=False)

        context = " ".join([command, *words])
        assert said.status == expected.returncode, context
        assert sorted(said.out.splitlines()) == sorted(expected.stdout.splitlines()), context
        assert said.err == expected.stderr, context
        assert ref_files(ours) == ref_files(theirs), context
