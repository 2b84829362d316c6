"""Pruning compared with the reference on copies of one repository."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ostree.repo.prune import prune
from ostree.repo.repository import Repo

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

pytestmark = pytest.mark.oracle


def objects(repo: Path) -> list[str]:
    return sorted(str(p.relative_to(repo)) for p in (repo / "objects").glob("*/*"))


@pytest.mark.parametrize("mode", ["archive", "bare-user"])
@pytest.mark.parametrize(
    ("arguments", "refs_only", "depth", "commit_only"),
    [
        (["--refs-only", "--depth=0"], True, 0, False),
        (["--refs-only", "--depth=1"], True, 1, False),
        (["--refs-only"], True, -1, False),
        (["--depth=0"], False, 0, False),
        (["--refs-only", "--depth=0", "--commit-only"], True, 0, True),
    ],
)
def test_the_same_objects_go(
    tmp_path: Path,
    oracle: Oracle,
    mode: str,
    arguments: list[str],
    refs_only: bool,
    depth: int,
    commit_only: bool,
) -> None:
    base, theirs = tmp_path / "base", tmp_path / "theirs"
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    oracle("init", f"--repo={base}", f"--mode={mode}")
    for branch in ("one", "two"):
        for number in range(3):
            (tree / "sub/file").write_text(f"{branch} {number}")
            (tree / "link").unlink(missing_ok=True)
            (tree / "link").symlink_to(f"{branch}{number}")
            oracle("commit", f"--repo={base}", "-b", branch, "-s", "x", f"--tree=dir={tree}")
    oracle("refs", f"--repo={base}", "--delete", "two")
    shutil.copytree(base, theirs, symlinks=True)

    said = oracle("prune", f"--repo={theirs}", *arguments).stdout.splitlines()
    with Repo.open(base) as repo:
        result = prune(repo, refs_only=refs_only, depth=depth, commit_only=commit_only)

    assert objects(base) == objects(theirs)
    assert said[0].endswith(f"objects: {result.total}")
    if result.deleted:
        assert said[1].startswith(f"Deleted {result.deleted} objects, ")
    else:
        assert said[1] == "No unreachable objects"
