"""Who needs a bad object: the same as a walk without any cleverness finds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostree.errors import ObjectNotFoundError
from ostree.formats import commit as commit_format
from ostree.formats import dirtree
from ostree.repo.needed_by import MAX_PATHS, NeededBy
from ostree.repo.objects import ObjectSource
from ostree.types import Checksum, ObjectName, ObjectType, TreeId

if TYPE_CHECKING:
    from collections.abc import Iterator


def named(text: str) -> Checksum:
    return Checksum.of_digest(hashlib.sha256(text.encode()).digest())


class Source(ObjectSource):
    """Commits and directories in memory; names need not be those of the content."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, ObjectType], bytes] = {}
        self.parent = None

    def load_metadata(self, checksum: str, type: ObjectType) -> bytes:
        try:
            return self.objects[(checksum, type)]
        except KeyError as error:
            raise ObjectNotFoundError(f"{checksum}.{type.extension}") from error

    def put_tree(
        self, name: str, files: dict[str, str], dirs: dict[str, str], meta: str = "meta"
    ) -> None:
        tree = dirtree.DirTree(
            [(file, named(content)) for file, content in files.items()],
            [(below, named(tree), named(meta)) for below, tree in dirs.items()],
        )
        self.objects[(named(name), ObjectType.DIRTREE)] = dirtree.encode(tree)

    def put_commit(self, name: str, root: str) -> Checksum:
        value = commit_format.Commit(TreeId(named(root), named("meta")), timestamp=0)
        self.objects[(named(name), ObjectType.COMMIT)] = commit_format.encode(value)
        return named(name)


def walk(source: Source, tree: Checksum, path: str) -> Iterator[tuple[ObjectName, str]]:
    """Every object of a tree with its path, the obvious way."""
    yield ObjectName(tree, ObjectType.DIRTREE), path or "/"
    contents = source.load_dirtree(tree)
    for name, file in contents.files:
        yield ObjectName(file, ObjectType.FILE), f"{path}/{name}"
    for name, below, meta in contents.dirs:
        yield ObjectName(meta, ObjectType.DIRMETA), f"{path}/{name}"
        yield from walk(source, below, f"{path}/{name}")


@st.composite
def forests(draw: st.DrawFn) -> tuple[Source, list[Checksum]]:
    """Commits of trees that share directories and files."""
    source = Source()
    names = st.sampled_from("abc")
    files = st.dictionaries(names, st.sampled_from(["f0", "f1", "f2"]), max_size=3)
    for number in range(6):
        below = st.sampled_from([f"t{child}" for child in range(number)] or ["t-1"])
        dirs = st.dictionaries(st.sampled_from("xyz"), below, max_size=2 if number else 0)
        meta = draw(st.sampled_from(["meta", "other"]))
        source.put_tree(f"t{number}", draw(files), draw(dirs), meta)
    roots = draw(st.lists(st.integers(0, 5), max_size=4))
    return source, [source.put_commit(f"c{i}", f"t{root}") for i, root in enumerate(roots)]


ALL = [
    *(ObjectName(named(f"f{number}"), ObjectType.FILE) for number in range(3)),
    *(ObjectName(named(f"t{number}"), ObjectType.DIRTREE) for number in range(6)),
    *(ObjectName(named(name), ObjectType.DIRMETA) for name in ("meta", "other")),
    *(ObjectName(named(f"c{number}"), ObjectType.COMMIT) for number in range(4)),
]


@settings(deadline=None)
@given(forests(), st.lists(st.sampled_from(ALL), unique=True))
def test_commits_and_paths_are_found(
    forest: tuple[Source, list[Checksum]], names: list[ObjectName]
) -> None:
    source, commits = forest
    expected_commits: dict[ObjectName, list[Checksum]] = {name: [] for name in names}
    expected_paths: dict[ObjectName, set[str]] = {name: set() for name in names}
    for commit in commits:
        root = source.load_commit(commit).root
        objects = [
            *walk(source, root.dirtree, ""),
            (ObjectName(root.dirmeta, ObjectType.DIRMETA), "/"),
        ]
        for name in names:
            paths = {path for found, path in objects if found == name}
            expected_paths[name] |= paths
            if paths or name.checksum == commit:
                expected_commits[name].append(commit)

    needed_by = NeededBy(source, names)

    assert needed_by.commits(commits) == expected_commits
    assert needed_by.paths(commits) == {
        name: sorted(paths) for name, paths in expected_paths.items()
    }


def test_what_cannot_be_read_counts_as_empty() -> None:
    source = Source()
    source.put_tree("root", {"a": "bad"}, {"gone": "missing", "junk": "damaged"})
    source.objects[(named("damaged"), ObjectType.DIRTREE)] = b"junk"
    commit = source.put_commit("commit", "root")
    unreadable = named("unreadable")
    source.objects[(unreadable, ObjectType.COMMIT)] = b"junk"
    names = [
        ObjectName(named("bad"), ObjectType.FILE),
        ObjectName(named("missing"), ObjectType.DIRTREE),
        ObjectName(named("damaged"), ObjectType.DIRTREE),
    ]

    needed_by = NeededBy(source, names)

    found = needed_by.commits([commit, unreadable, named("no such")])
    assert list(found.values()) == [[commit]] * 3
    assert list(needed_by.paths([commit, unreadable]).values()) == [["/a"], ["/gone"], ["/junk"]]


def test_directories_that_go_in_circles_end() -> None:
    """No honest repository has them; a damaged object may name itself."""
    source = Source()
    source.put_tree("root", {"a": "bad"}, {"again": "root"})
    commit = source.put_commit("commit", "root")
    bad = ObjectName(named("bad"), ObjectType.FILE)

    needed_by = NeededBy(source, [bad])

    assert needed_by.commits([commit]) == {bad: [commit]}
    assert len(needed_by.paths([commit])[bad]) == MAX_PATHS


@pytest.mark.parametrize("levels", [40])
def test_a_file_that_is_everywhere_does_not_take_for_ever(levels: int) -> None:
    """Ten directories, each ten times in the one above: more paths than atoms."""
    source = Source()
    source.put_tree("0", {"file": "bad"}, {})
    for level in range(1, levels):
        source.put_tree(str(level), {}, {str(entry): str(level - 1) for entry in range(10)})
    commit = source.put_commit("commit", str(levels - 1))
    bad = ObjectName(named("bad"), ObjectType.FILE)

    paths = NeededBy(source, [bad]).paths([commit])

    assert len(paths[bad]) == MAX_PATHS
