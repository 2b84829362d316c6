"""Random trees that were changed at random differ for us as for the reference."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.running import succeed
from support.trees import Node, files, links, materialize, names, trees

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.oracle

EXAMPLES = int(os.environ.get("PYOSTREE_RANDOM_TREES", "60"))
REFERENCE = "/usr/bin/ostree"
Oracle = Callable[..., object]


@st.composite
def changed_trees(draw: st.DrawFn) -> tuple[Node, Node]:
    """A tree, and one that has some of it in common."""
    tree = draw(trees)
    return tree, _changed(draw, tree)


def _changed(draw: st.DrawFn, node: Node) -> Node:
    children: list[tuple[str, Node]] = []
    for name, child in node.children:
        what = draw(st.sampled_from(["keep", "keep", "drop", "mode", "replace", "descend"]))
        if what == "keep":
            children.append((name, child))
        elif what == "mode":
            children.append((name, child._replace(mode=child.mode ^ 0o010)))
        elif what == "replace":
            children.append((name, draw(st.one_of(files, links, trees))))
        elif what == "descend":
            children.append((name, _changed(draw, child) if child.kind == "dir" else child))
    for name in draw(st.lists(names, max_size=2, unique=True)):
        if name not in {taken for taken, _ in children}:
            children.append((name, draw(st.one_of(files, trees))))
    return node._replace(children=tuple(children))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, oracle: Oracle) -> Iterator[Path]:
    """A directory with a repository of the reference's."""
    base = tmp_path_factory.mktemp("diff")
    repo = base / "repo"
    oracle("init", f"--repo={repo}", "--mode=archive")
    oracle(f"--repo={repo}", "config", "set", "core.fsync", "false")
    yield base
    shutil.rmtree(base)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(pair=changed_trees())
def test_random_trees_differ_alike(place: Path, oracle: Oracle, pair: tuple[Node, Node]) -> None:
    """Commits with commits to the byte, local directories but for the order."""
    repo = f"--repo={place / 'repo'}"
    try:
        for name, tree in zip(("old", "new"), pair, strict=True):
            materialize(tree, place / name)
            oracle(repo, "commit", "-b", name, f"--tree=dir={place / name}")

        def both(*words: str | Path) -> tuple[str, str]:
            # Not through the fixture: names may have line ends that text streams do not keep.
            theirs = subprocess.run(
                [REFERENCE, repo, "diff", *words],
                check=True,
                capture_output=True,
                env={"LC_ALL": "C.UTF-8"},
            ).stdout.decode()
            return succeed("diff", repo, *words), theirs

        ours, theirs = both("old", "new")
        assert ours == theirs
        ours, theirs = both("--stats", "new", "old")
        assert ours == theirs
        for words in (
            ("old", place / "new"),
            (place / "new", "old"),
            (place / "old", place / "new"),
            ("--no-xattrs", "old", place / "old"),
            ("--owner-gid=3", "old", place / "new"),
        ):
            ours, theirs = both(*words)
            assert sorted(ours.split("\n")) == sorted(theirs.split("\n"))
    finally:
        for name in ("old", "new"):
            shutil.rmtree(place / name, ignore_errors=True)
