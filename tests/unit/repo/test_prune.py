"""What stays when a repository is pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import ObjectNotFoundError
from ostree.events import Event, StepProgress
from ostree.repo.prune import prune
from ostree.repo.prune_roots import Keep
from ostree.repo.reachability import find_reachable
from ostree.repo.repository import Repo
from ostree.types import Checksum, ObjectName, ObjectType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Line:
    """A repository with a line of commits, each with a file of its own."""

    def __init__(self, directory: Path, repo: Repo) -> None:
        self.repo = repo
        self.tree = directory / "tree"
        self.tree.mkdir()
        self.commits: list[Checksum] = []

    def commit(self, parent: Checksum | None = None) -> Checksum:
        number = len(self.commits)
        (self.tree / "sub").mkdir(exist_ok=True)
        (self.tree / "sub/file").write_text(f"number {number}")
        (self.tree / "same").write_text("always")
        with self.repo.transaction() as transaction:
            root = transaction.import_directory(self.tree)
            checksum = transaction.commit(root, parent=parent, timestamp=number)
        self.commits.append(checksum)
        return checksum

    def left(self) -> list[int]:
        """The numbers of the commits that are there."""
        found = set(self.repo.commits())
        return [number for number, commit in enumerate(self.commits) if commit in found]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with Repo.create(tmp_path / "repo", "archive") as repo:
        made = Line(tmp_path, repo)
        parent = None
        for _ in range(4):
            parent = made.commit(parent)
        repo.refs.set("main", parent)
        yield made


@pytest.mark.parametrize(
    ("depth", "left"),
    [(0, [3]), (1, [2, 3]), (2, [1, 2, 3]), (-1, [0, 1, 2, 3]), (99, [0, 1, 2, 3])],
)
def test_depth(line: Line, depth: int, left: list[int]) -> None:
    result = prune(line.repo, depth=depth)

    assert line.left() == left
    # Each commit has a commit, two dirtrees and a file of its own; dirmetas and `same` are shared.
    assert result.deleted == 4 * (4 - len(left))
    assert (result.freed > 0) is (result.deleted > 0)
    line.repo.fsck()


def test_what_it_tells_on_the_way(line: Line) -> None:
    """Three phases one after the other, each with numbers that only grow, the last to the end."""
    events: list[Event] = []

    result = line.repo.prune(Keep(depth=0), on_event=events.append)

    steps = [event for event in events if isinstance(event, StepProgress)]
    assert list(dict.fromkeys(step.operation for step in steps)) == ["reach", "scan", "prune"]
    for operation in ("reach", "scan", "prune"):
        done = [step.done for step in steps if step.operation == operation]
        assert done == sorted(done)
    assert (steps[-1].done, steps[-1].total) == (result.deleted, result.deleted)


def test_a_dry_run_tells_and_does_nothing(line: Line) -> None:
    told = prune(line.repo, depth=0, dry_run=True)

    assert line.left() == [0, 1, 2, 3]
    assert prune(line.repo, depth=0) == told


def test_extra_roots_stay_without_their_parents(line: Line) -> None:
    prune(line.repo, depth=0, extra_roots=[line.commits[1]])

    assert line.left() == [1, 3]


def test_without_refs_only_every_commit_stays(line: Line) -> None:
    with line.repo.transaction() as transaction:
        transaction.import_directory(line.tree.parent / "tree")
        (line.tree / "orphan").write_text("nobody")
        transaction.import_directory(line.tree)

    result = prune(line.repo, refs_only=False, depth=0)

    assert line.left() == [0, 1, 2, 3]
    assert result.deleted == 2


def test_commit_only_leaves_the_rest(line: Line) -> None:
    result = prune(line.repo, depth=0, commit_only=True)

    assert (result.total, result.deleted) == (4, 3)
    assert len(list(line.repo.store.objects_of(ObjectType.DIRTREE))) == 8


def test_remote_refs_and_mirrors_keep_commits(line: Line) -> None:
    line.repo.refs.set("origin:main", line.commits[0])
    line.repo.refs.set_mirrored("org.example.Collection", "main", line.commits[1])

    prune(line.repo, depth=0)

    assert line.left() == [0, 1, 3]


def test_detached_metadata_and_marks_go_with_their_commit(line: Line) -> None:
    gone, kept = line.commits[2:]
    with line.repo.transaction() as transaction:
        for commit in (gone, kept):
            transaction.write_detached(commit, b"")
            transaction.mark_partial(commit)

    prune(line.repo, depth=0)

    has = line.repo.store.has
    assert not has(gone, ObjectType.COMMITMETA)
    assert has(kept, ObjectType.COMMITMETA)
    assert not line.repo.is_partial(gone)
    assert line.repo.is_partial(kept)


def test_a_missing_directory_stops_before_anything_is_deleted(line: Line) -> None:
    root = line.repo.load_commit(line.commits[3]).root
    line.repo.store.delete(ObjectName(root.dirtree, ObjectType.DIRTREE))

    with pytest.raises(
        ObjectNotFoundError, match=f"No such metadata object {root.dirtree}.dirtree"
    ):
        prune(line.repo, depth=0)

    assert line.left() == [0, 1, 2, 3]


def test_a_partial_commit_may_lack_directories(line: Line) -> None:
    root = line.repo.load_commit(line.commits[3]).root
    line.repo.store.delete(ObjectName(root.dirtree, ObjectType.DIRTREE))
    with line.repo.transaction() as transaction:
        transaction.mark_partial(line.commits[3])

    prune(line.repo, depth=0)

    assert line.left() == [3]


def test_a_missing_parent_ends_the_line(line: Line) -> None:
    line.repo.store.delete(ObjectName(line.commits[1], ObjectType.COMMIT))

    prune(line.repo, depth=-1)

    assert line.left() == [2, 3]


def test_the_deepest_wish_counts_whatever_the_order(line: Line) -> None:
    head, before = line.commits[3], line.commits[2]

    for roots in ([(before, 0), (head, -1)], [(head, -1), (before, 0)], [(head, 1), (before, 5)]):
        reachable = find_reachable(line.repo, roots)
        assert reachable.commits == {commit.digest for commit in line.commits}


def test_refs_that_hold_nonsense_keep_nothing(line: Line, tmp_path: Path) -> None:
    (tmp_path / "repo/refs/heads/bad").write_text("nonsense\n")

    prune(line.repo, depth=0)

    assert line.left() == [3]
