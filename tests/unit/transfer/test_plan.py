"""The planner against a world made of dictionaries: no disk, no network."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.formats.commit import Commit
from ostree.formats.dirtree import DirTree, KnownEntries, encode
from ostree.transfer.plan import Base, CommitStep, Facts, Planner, TreeStep
from ostree.types import Checksum, ObjectType, TreeId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

META = "dirmeta of all directories"


def name(text: str) -> Checksum:
    """The checksum that stands for something."""
    return Checksum(hashlib.sha256(text.encode()).hexdigest())


class World(Facts):
    """What a source offers, and what the destination has."""

    def __init__(self) -> None:
        self.commits: dict[Checksum, Commit] = {}
        self.trees: dict[Checksum, bytes] = {}
        self.here: set[tuple[Checksum, ObjectType]] = set()
        self.partial: set[Checksum] = set()
        self.trees_read: list[Checksum] = []
        self.asked: list[Checksum] = []

    def has(self, checksum: Checksum, type: ObjectType) -> bool:
        self.asked.append(checksum)
        return (checksum, type) in self.here

    def is_complete(self, commit: Checksum) -> bool:
        return commit not in self.partial

    def root(self, commit: Checksum) -> Checksum:
        return self.commits[commit].root.dirtree

    def tree(self, dirtree: Checksum) -> bytes:
        self.trees_read.append(dirtree)
        return self.trees[dirtree]

    def base(self, dirtree: Checksum | None) -> Base | None:
        if dirtree is None:
            return None
        known = KnownEntries()
        return Base(known, known.add(self.tree(dirtree)))

    def add_tree(self, entries: Mapping[str, object]) -> Checksum:
        """A directory: names with the content of a file, or with a directory's entries."""
        files = [(key, name(value)) for key, value in entries.items() if isinstance(value, str)]
        dirs = [
            (key, self.add_tree(value), name(META))
            for key, value in entries.items()
            if isinstance(value, dict)
        ]
        checksum = name(repr((files, dirs)))
        self.trees[checksum] = encode(DirTree(files, dirs))
        return checksum

    def add_commit(self, entries: Mapping[str, object], parent: Checksum | None = None) -> Checksum:
        root = TreeId(self.add_tree(entries), name(META))
        checksum = name(f"{root} {parent} {len(self.commits)}")
        self.commits[checksum] = Commit(root, timestamp=0, parent=parent)
        return checksum

    def play(self, planner: Planner, *, missing: Iterable[Checksum] = ()) -> list[str]:
        """Do whatever the planner wants; what was fetched, in order."""
        fetched = []
        while planner.metadata:
            step = planner.metadata.popleft()
            if isinstance(step, CommitStep) and step.checksum in missing:
                planner.commit_missing(step)
                continue
            if not step.present:
                fetched.append(f"{step.checksum}.{step.type.extension}")
                self.here.add((step.checksum, step.type))
            if isinstance(step, CommitStep):
                planner.commit_arrived(step, self.commits[step.checksum])
            elif isinstance(step, TreeStep):
                planner.tree_arrived(step, self.trees[step.checksum])
            else:
                planner.dirmeta_arrived()
        for checksum in planner.content:
            fetched.append(f"{checksum}.file")
            self.here.add((checksum, ObjectType.FILE))
        planner.content.clear()
        assert not planner.scanning
        return fetched


def files(*contents: str) -> set[str]:
    return {f"{name(text)}.file" for text in contents}


def kinds(fetched: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in fetched:
        kind = item.partition(".")[2]
        found[kind] = found.get(kind, 0) + 1
    return found


TREE = {"a": "1", "b": "2", "usr": {"bin": {"sh": "3"}, "lib": {"c": "4", "again": "1"}}}


def test_everything_is_fetched_once() -> None:
    """Equal files and directory metadata are one object."""
    world = World()
    planner = Planner(world)
    planner.request(world.add_commit(TREE), ref="main")

    fetched = world.play(planner)

    assert kinds(fetched) == {"commit": 1, "dirtree": 4, "dirmeta": 1, "file": 4}
    assert len(fetched) == len(set(fetched))
    assert (planner.requested_metadata, planner.requested_content) == (6, 4)


def test_each_object_is_looked_up_once() -> None:
    world = World()
    planner = Planner(world)
    planner.request(world.add_commit({**TREE, "copy": TREE["usr"]}))

    world.play(planner)

    assert len(world.asked) == len(set(world.asked))


def test_nothing_is_fetched_for_a_commit_that_is_complete() -> None:
    world = World()
    commit = world.add_commit(TREE)
    first = Planner(world)
    first.request(commit)
    world.play(first)
    planner = Planner(world)
    planner.request(commit)

    step = planner.metadata[0]
    fetched = world.play(planner)

    assert isinstance(step, CommitStep)
    assert step.complete
    assert fetched == []


def test_a_partial_commit_is_gone_through_again() -> None:
    """Objects that are there are read, not fetched."""
    world = World()
    commit = world.add_commit(TREE)
    first = Planner(world)
    first.request(commit)
    world.play(first)
    world.here.remove((name("4"), ObjectType.FILE))
    world.partial.add(commit)
    planner = Planner(world)
    planner.request(commit)

    assert set(world.play(planner)) == files("4")


def test_what_a_complete_commit_has_is_not_looked_up() -> None:
    """Directories that did not change are not even read."""
    world = World()
    old = world.add_commit(TREE)
    new = world.add_commit({**TREE, "b": "new", "etc": {"fstab": "5"}}, old)
    first = Planner(world)
    first.request(old)
    world.play(first)
    world.asked.clear()
    planner = Planner(world)
    planner.request(new, ref="main", base=world.commits[old].root.dirtree)

    fetched = world.play(planner)

    assert {item for item in fetched if item.endswith(".file")} == files("new", "5")
    assert kinds(fetched) == {"commit": 1, "dirtree": 2, "file": 2}
    assert name("1") not in world.asked
    assert world.trees_read == [world.commits[old].root.dirtree]


@pytest.mark.parametrize("complete", [True, False])
def test_a_parent_that_is_here_tells_what_is_there(*, complete: bool) -> None:
    """As what the ref pointed to does, but only if it is complete."""
    world = World()
    old = world.add_commit(TREE)
    new = world.add_commit({**TREE, "b": "new"}, old)
    first = Planner(world)
    first.request(old)
    world.play(first)
    world.asked.clear()
    if not complete:
        world.partial.add(old)
    planner = Planner(world)
    planner.request(new)

    fetched = world.play(planner)

    assert {item for item in fetched if item.endswith(".file")} == files("new")
    assert (name("1") in world.asked) is not complete


def test_a_directory_is_wanted_where_it_is_new_though_it_is_known_elsewhere() -> None:
    """Only a complete tree says that what is below is there."""
    world = World()
    old = world.add_commit({"x": {"f": "1"}})
    new = world.add_commit({"x": {"f": "2"}, "y": {"f": "1"}, "z": {"f": "3"}})
    first = Planner(world)
    first.request(old)
    world.play(first)
    planner = Planner(world)
    planner.request(new, base=world.commits[old].root.dirtree)

    fetched = world.play(planner)

    assert {item for item in fetched if item.endswith(".file")} == files("2", "3")


@pytest.mark.parametrize(("depth", "count"), [(0, 1), (1, 2), (2, 3), (7, 4), (-1, 4)])
def test_depth(depth: int, count: int) -> None:
    world = World()
    commit = None
    for number in range(4):
        commit = world.add_commit({"f": str(number)}, commit)
    assert commit is not None
    planner = Planner(world, depth=depth)
    planner.request(commit)

    fetched = world.play(planner)

    assert kinds(fetched)["commit"] == count
    assert set(planner.commits) == set(list(world.commits)[-count:])


def test_depth_counts_from_the_nearest_request() -> None:
    """Two branches of one history: the older one's parents are wanted, too."""
    world = World()
    commits: list[Checksum] = []
    for number in range(5):
        commits.append(world.add_commit({"f": str(number)}, commits[-1] if commits else None))
    for order in ((4, 3), (3, 4)):
        planner = Planner(world, depth=2)
        for number in order:
            planner.request(commits[number])

        world.play(planner)

        assert set(planner.commits) == set(commits[1:])


def test_parents_may_be_missing() -> None:
    world = World()
    old = world.add_commit({"f": "1"})
    new = world.add_commit({"f": "2"}, old)
    planner = Planner(world, depth=-1)
    planner.request(new)

    fetched = world.play(planner, missing=[old])

    assert kinds(fetched)["commit"] == 1
    assert list(planner.commits) == [new]
    assert planner.requested_metadata == 3


def test_history_of_a_complete_commit_can_be_deepened() -> None:
    world = World()
    old = world.add_commit({"f": "1"})
    new = world.add_commit({"f": "2"}, old)
    first = Planner(world)
    first.request(new)
    world.play(first)
    planner = Planner(world, depth=1)
    planner.request(new)

    assert f"{old}.commit" in world.play(planner)


def test_commit_metadata_only() -> None:
    world = World()
    commit = world.add_commit(TREE, world.add_commit({"f": "1"}))
    planner = Planner(world, depth=-1, commit_metadata_only=True)
    planner.request(commit)

    assert kinds(world.play(planner)) == {"commit": 2}


@pytest.mark.parametrize(
    ("subpaths", "contents"),
    [
        (["/usr/bin"], "3"),
        (["/usr/bin/"], "3"),
        (["/usr/bin/sh"], "3"),
        (["/usr"], "134"),
        (["/b"], "2"),
        (["/us"], ""),
        (["/usr/bin", "/a"], "13"),
        (["/"], "1234"),
        (["/nothing"], ""),
    ],
    ids=str,
)
def test_subpaths(subpaths: list[str], contents: str) -> None:
    world = World()
    planner = Planner(world, subpaths=subpaths)
    planner.request(world.add_commit(TREE))

    fetched = world.play(planner)

    assert {item for item in fetched if item.endswith(".file")} == files(*contents)


def test_one_directory_at_two_places_with_a_subpath() -> None:
    """What is wanted of it depends on where it is."""
    world = World()
    both = {"sub": {"deep": "1"}, "flat": "2"}
    planner = Planner(world, subpaths=["/left/flat", "/right/sub"])
    planner.request(world.add_commit({"left": both, "right": both}))

    fetched = world.play(planner)

    assert {item for item in fetched if item.endswith(".file")} == files("1", "2")


def test_subpaths_are_absolute() -> None:
    with pytest.raises(OSTreeError, match="must start with '/'"):
        Planner(World(), subpaths=["usr"])


def test_refs_of_one_commit_are_checked_together() -> None:
    world = World()
    commit = world.add_commit(TREE)
    planner = Planner(world)
    planner.request(commit, ref="a", max_size=100)
    planner.request(commit, ref="b")
    planner.request(commit)

    step = planner.metadata[0]

    assert len(planner.metadata) == 1
    assert isinstance(step, CommitStep)
    assert (step.refs, step.max_size) == (["a", "b"], 100)
