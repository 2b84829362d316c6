"""What a repository tells the planner of a pull."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError
from ostree.formats.dirtree import DirTree, encode
from ostree.repo.hashing import checksum_bytes
from ostree.repo.repository import Repo
from ostree.transfer.destination import RepoFacts
from ostree.transfer.plan import Planner, TreeStep
from ostree.types import Checksum, FileHeader, ObjectType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def name(data: bytes) -> Checksum:
    return Checksum(hashlib.sha256(data).hexdigest())


FILES = [(f"file{number:02}", name(b"%d" % number)) for number in range(30)]
CHANGED = [*FILES[:-1], (FILES[-1][0], name(b"new"))]
BEFORE = encode(DirTree(FILES, []))
AFTER = encode(DirTree(CHANGED, []))
OTHER = encode(DirTree([(f"other{number}", name(b"o%d" % number)) for number in range(30)], []))


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[RepoFacts]:
    """Of a repository with a directory that was read ahead; others are not stored."""
    with Repo.create(tmp_path / "repo", "bare-user") as repo:
        with repo.transaction(fsync=False) as txn:
            txn.write_metadata(ObjectType.DIRTREE, BEFORE)
        facts = RepoFacts(repo, resumed=False)
        facts.read_ahead(name(BEFORE))
        yield facts


def test_of_a_directory_that_has_hardly_changed_the_changes_are_kept(facts: RepoFacts) -> None:
    facts.check_tree(name(AFTER), AFTER)

    assert facts.has(name(AFTER), ObjectType.DIRTREE)
    assert facts.changes(name(AFTER)) == DirTree(CHANGED[-1:], [])
    assert facts.changes(name(AFTER)) is None


def test_another_one_is_kept_as_it_is(facts: RepoFacts) -> None:
    """Its entries would take several times the memory."""
    facts.check_tree(name(OTHER), OTHER)

    assert facts.changes(name(OTHER)) is None
    assert facts.tree(name(OTHER)) == OTHER


def test_what_is_no_directory(facts: RepoFacts) -> None:
    with pytest.raises(FormatError):
        facts.check_tree(name(b"no directory"), b"no directory")

    assert not facts.has(name(b"no directory"), ObjectType.DIRTREE)


def test_a_directory_that_was_looked_at_is_followed(facts: RepoFacts) -> None:
    """The planner wants what is new in it; another one has to be looked at first."""
    planner = Planner(facts)
    facts.check_tree(name(AFTER), AFTER)

    assert planner.tree_known(TreeStep(name(AFTER), "/", None, present=True))
    assert list(planner.content) == [name(b"new")]
    assert not planner.tree_known(TreeStep(name(OTHER), "/", None, present=True))


def test_files_are_looked_for_where_there_are_some(tmp_path: Path) -> None:
    """Also by those who know that nothing is stored before it is asked for."""
    header = FileHeader(0, 0, 0o100644)
    there, later = (checksum_bytes(header, data) for data in (b"there", b"later"))
    assert there[:2] != later[:2]
    with Repo.create(tmp_path / "repo", "bare-user") as repo:
        repo.store.put_bytes(there, header, b"there")
        quick = RepoFacts(repo, resumed=False, asks_first=True)
        others = [
            RepoFacts(repo, resumed=False),
            RepoFacts(repo, resumed=True, asks_first=True),
        ]
        assert quick.has(there, ObjectType.FILE)
        assert not quick.has(later, ObjectType.FILE)

        repo.store.put_bytes(later, header, b"later")

        assert all(facts.has(later, ObjectType.FILE) for facts in others)
        assert RepoFacts(repo, resumed=False, asks_first=True).has(later, ObjectType.FILE)
        assert not quick.has(later, ObjectType.FILE)
