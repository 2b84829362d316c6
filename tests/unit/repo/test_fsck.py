"""Verification: what is missing, what is damaged, and what becomes of it."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError, OSTreeError, RepoError, TrustError
from ostree.events import Event, Message, StepProgress
from ostree.formats import commit as commit_format
from ostree.formats.gvariant import Variant
from ostree.repo.commit_deletion import delete_commit, enable_tombstones
from ostree.repo.fsck import Fsck, FsckOptions
from ostree.repo.modifier import Modifier
from ostree.repo.repository import Repo
from ostree.types import Checksum, ObjectName, ObjectType, TreeId
from support.vectors import (
    BIG,
    BIN_TREE,
    BINDINGS,
    BODY,
    COMMIT,
    HELLO,
    META_0700,
    METADATA,
    RUN,
    SUBJECT,
    TIMESTAMP,
    make_tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE = Checksum("1" * 64)


class Run:
    """One verification, with all that it said."""

    def __init__(self, repo: Repo, **options: bool) -> None:
        events: list[Event] = []
        self.error: OSTreeError | None = None
        self.corrupted = self.partial_from_fsck = False
        self.partial = self.commits = self.objects = -1
        try:
            result = Fsck(repo, FsckOptions(**options), on_event=events.append).run()
        except OSTreeError as error:
            self.error = error
        else:
            self.corrupted = result.corrupted
            self.partial_from_fsck = result.partial_from_fsck
            self.partial, self.commits = result.partial, result.commits
            self.objects = result.objects
            self.tombstones = result.tombstones
        messages = [event for event in events if isinstance(event, Message)]
        self.said = [event.text for event in messages if not event.warning]
        self.warned = [event.text for event in messages if event.warning]
        self.steps = [event for event in events if isinstance(event, StepProgress)]


@pytest.fixture(params=["bare-user", "archive"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repo]:
    """Tree T as ``test/branch``, in a repository."""
    tree = make_tree(tmp_path / "tree")
    with Repo.create(tmp_path / "repo", request.param) as opened:
        with opened.transaction(fsync=False) as txn:
            root = txn.import_directory(tree, modifier=Modifier(owner_uid=0, owner_gid=0))
            checksum = txn.commit(
                root, subject=SUBJECT, body=BODY, metadata=BINDINGS, timestamp=TIMESTAMP
            )
            assert checksum == COMMIT
            txn.set_ref("test/branch", checksum)
        yield opened


def path_of(repo: Repo, checksum: str, type: ObjectType) -> str:
    return os.path.join(repo.path, "objects", repo.store.path(checksum, type))


def overwrite(repo: Repo, checksum: str, type: ObjectType, data: bytes) -> None:
    path = path_of(repo, checksum, type)
    with open(path, "wb") as file:
        file.write(data)


def damage_content(repo: Repo, checksum: Checksum) -> str:
    """Give a file object other content; what its checksum is then."""
    other = b"HELLO\n"
    with repo.load_content(checksum) as content:
        header = content.header
    os.unlink(path_of(repo, checksum, ObjectType.FILE))
    repo.store.put_bytes(checksum, header, other)
    from ostree.repo.hashing import checksum_bytes

    return checksum_bytes(header, other)


def test_a_good_repository(repo: Repo) -> None:
    run = Run(repo, verify_bindings=True)

    assert run.error is None
    assert not run.corrupted
    assert (run.commits, run.objects, run.partial) == (1, 13, 0)
    assert run.warned == []
    assert run.said == [
        "Validating refs...",
        "Validating refs in collections...",
        "Enumerating commits...",
        "Verifying content integrity of 1 commit objects...",
    ]
    assert [step.done for step in run.steps] == sorted(step.done for step in run.steps)
    assert (run.steps[-1].done, run.steps[-1].total) == (13, 13)
    assert run.steps[-1].bytes == 6 + 18 + 1000 + 11


def test_an_empty_repository(tmp_path: Path) -> None:
    with Repo.create(tmp_path / "repo") as repo:
        run = Run(repo)

    assert run.error is None
    assert (run.commits, run.objects) == (0, 0)
    assert run.steps == []


@pytest.mark.parametrize(
    ("checksum", "type"), [(HELLO, ObjectType.FILE), (META_0700, ObjectType.DIRMETA)]
)
@pytest.mark.parametrize("option", [None, "keep_going", "delete"])
def test_missing_objects_make_commits_partial(
    repo: Repo, checksum: Checksum, type: ObjectType, option: str | None
) -> None:
    repo.store.delete(ObjectName(checksum, type))

    run = Run(repo, **({option: True} if option else {}))
    again = Run(repo)

    assert run.error is None
    assert run.corrupted
    assert run.warned == [
        f"Object missing in commits {COMMIT}: {checksum}.{type.extension}",
        f"Marking commit as partial: {COMMIT}",
    ]
    with open(os.path.join(repo.path, f"state/{COMMIT}.commitpartial"), "rb") as mark:
        assert mark.read() == b"f"
    assert not again.corrupted
    assert again.partial_from_fsck
    assert (again.partial, again.commits) == (1, 0)


def test_a_missing_directory_stops_it(repo: Repo) -> None:
    repo.store.delete(ObjectName(BIN_TREE, ObjectType.DIRTREE))

    for options in ({}, {"keep_going": True}, {"delete": True}):
        run = Run(repo, **options)

        assert str(run.error) == f"No such metadata object {BIN_TREE}.dirtree"


@pytest.mark.parametrize("kind", ["content", "dirtree", "dirmeta", "shape"])
def test_damaged_objects(repo: Repo, kind: str) -> None:
    """Stopped at without options, gone past with -a, deleted with --delete."""
    if kind == "content":
        name = ObjectName(HELLO, ObjectType.FILE)
        actual = damage_content(repo, HELLO)
        what = f"fsck content object {HELLO}: Corrupted file object"
    else:
        checksum = META_0700 if kind != "dirtree" else BIN_TREE
        name = ObjectName(checksum, ObjectType.DIRMETA if kind != "dirtree" else ObjectType.DIRTREE)
        data = METADATA[(checksum, name.type.extension)]
        data = data[:-1] + bytes([data[-1] ^ 1]) if kind == "dirmeta" else data[:-1]
        overwrite(repo, checksum, name.type, data)
        actual = hashlib.sha256(data).hexdigest()
        what = f"fsck {name}: Corrupted {name.type.extension} object"
    sentence = f"In commits {COMMIT}: {what}; checksum expected='{name.checksum}' actual='{actual}'"

    stopped = Run(repo)
    passed = Run(repo, keep_going=True)
    deleted = Run(repo, delete=True)
    again = Run(repo)

    assert isinstance(stopped.error, CorruptionError)
    assert str(stopped.error) == sentence
    assert (passed.error, passed.corrupted, passed.warned) == (None, True, [sentence])
    assert (deleted.error, deleted.corrupted) == (None, True)
    assert deleted.warned == [sentence, f"Marking commit as partial: {COMMIT}"]
    assert not repo.has_object(name.checksum, name.type)
    assert (again.corrupted, again.partial, again.partial_from_fsck) == (False, 1, True)


def test_structure_is_checked_where_the_checksum_is_right(repo: Repo) -> None:
    """A dirtree that somebody made to be hostile, under its own name."""
    from ostree.formats.gvariant import encode

    data = encode("(a(say)a(sayay))", ([("../evil", HELLO.digest)], []))
    checksum = Checksum.of_digest(hashlib.sha256(data).digest())
    repo.store.put_metadata(checksum, ObjectType.DIRTREE, data)
    with repo.transaction(fsync=False) as txn:
        bad = txn.commit(TreeId(checksum, META_0700), timestamp=1)

    run = Run(repo)

    assert str(run.error) == (
        f"In commits {bad}: fsck {checksum}.dirtree: {checksum}.dirtree: "
        "Invalid / in filename ../evil"
    )


def test_all_commits_with_the_object_are_named(repo: Repo) -> None:
    root = repo.load_commit(COMMIT).root
    with repo.transaction(fsync=False) as txn:
        other = txn.commit(root, timestamp=1)
    repo.store.delete(ObjectName(BIG, ObjectType.FILE))

    run = Run(repo)

    assert (
        run.warned[0]
        == f"Object missing in commits {', '.join(sorted([COMMIT, other]))}: {BIG}.file"
    )
    assert sorted(run.warned[1:]) == [
        f"Marking commit as partial: {commit}" for commit in sorted([COMMIT, other])
    ]
    assert Run(repo).partial == 2


# refs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [ONE, "garbage"])
@pytest.mark.parametrize("option", [None, "keep_going", "delete"])
def test_a_ref_to_nothing(repo: Repo, content: str, option: str | None) -> None:
    with open(os.path.join(repo.path, "refs/heads/bad"), "w") as file:
        file.write(f"{content}\n")

    run = Run(repo, **({option: True} if option else {}))

    assert run.warned == [f"Object missing: {content}.commit"]
    assert str(run.error) == (
        f"Loading commit for ref bad: No such metadata object {content}.commit"
    )


def test_a_ref_to_a_damaged_commit(repo: Repo) -> None:
    value = repo.load_commit(COMMIT)
    value.timestamp += 1
    data = commit_format.encode(value)
    overwrite(repo, COMMIT, ObjectType.COMMIT, data)
    actual = hashlib.sha256(data).hexdigest()
    sentence = (
        f"fsck {COMMIT}.commit: Corrupted commit object; "
        f"checksum expected='{COMMIT}' actual='{actual}'"
    )

    stopped = Run(repo)
    passed = Run(repo, keep_going=True)
    deleted = Run(repo, delete=True)

    assert str(stopped.error) == sentence
    assert passed.error is None
    assert passed.warned == [sentence, f"In commits {COMMIT}: {sentence}"]
    assert deleted.warned == [sentence]
    assert str(deleted.error) == (
        f"Loading commit for ref test/branch: No such metadata object {COMMIT}.commit"
    )
    assert repo.refs.all() == {"test/branch": COMMIT}


def test_a_ref_to_a_commit_that_cannot_be_read_at_all(repo: Repo) -> None:
    overwrite(repo, COMMIT, ObjectType.COMMIT, b"junk")

    passed = Run(repo, keep_going=True)

    assert passed.error is None
    assert passed.corrupted
    assert len(passed.warned) == 2


def test_bindings_are_checked_on_request(repo: Repo) -> None:
    repo.refs.set("alias", COMMIT)

    assert Run(repo).error is None
    run = Run(repo, verify_bindings=True)

    assert isinstance(run.error, TrustError)
    assert str(run.error) == (
        f"Commit {COMMIT}: Commit has no requested ref ‘alias’ in ref binding metadata "
        "(‘test/branch’)"
    )


def test_collections_need_bindings(repo: Repo) -> None:
    repo.refs.set_mirrored("org.example.Os", "test/branch", COMMIT)

    run = Run(repo, verify_bindings=True)

    assert str(run.error) == (
        f"Commit {COMMIT}: Expected commit metadata to have collection ID binding information, "
        "found none"
    )


def test_back_references_are_checked_on_request(repo: Repo) -> None:
    assert Run(repo, verify_back_refs=True).error is None
    repo.refs.set("test/branch", None)

    run = Run(repo, verify_back_refs=True)

    assert isinstance(run.error, TrustError)
    assert str(run.error) == (f"Ref ‘test/branch’ in bindings for commit {COMMIT} does not exist")
    assert run.said[-1] == "Enumerating commits..."


def test_back_references_imply_bindings(repo: Repo) -> None:
    """As help and manual say; the reference forgets it."""
    repo.refs.set("alias", COMMIT)

    assert "no requested ref ‘alias’" in str(Run(repo, verify_back_refs=True).error)


def test_an_older_commit_of_a_branch_is_not_what_its_ref_points_to(repo: Repo) -> None:
    with repo.transaction(fsync=False) as txn:
        root = repo.load_commit(COMMIT).root
        txn.set_ref("test/branch", txn.commit(root, parent=COMMIT, metadata=BINDINGS))

    run = Run(repo, verify_back_refs=True)

    assert str(run.error) == (
        f"Ref ‘test/branch’ in bindings for commit {COMMIT} does not resolve to that commit"
    )


def test_back_references_of_collections(repo: Repo) -> None:
    bound = [*BINDINGS, ("ostree.collection-binding", Variant("s", "org.example.C"))]
    with repo.transaction(fsync=False) as txn:
        commit = txn.commit(repo.load_commit(COMMIT).root, metadata=bound)
        txn.set_mirrored_ref("org.example.C", "test/branch", commit)

    found = Run(repo, verify_back_refs=True)
    repo.refs.set_mirrored("org.example.C", "test/branch", None)
    lost = Run(repo, verify_back_refs=True)

    assert found.error is None
    assert str(lost.error) == (
        f"Collection–ref (org.example.C, test/branch) in bindings for commit {commit} "
        "does not exist"
    )


# tombstones -------------------------------------------------------------------------------------


def test_missing_parents_get_tombstones_and_nothing_is_deleted(repo: Repo) -> None:
    with repo.transaction(fsync=False) as txn:
        root = repo.load_commit(COMMIT).root
        for number in range(2):
            txn.commit(root, parent=ONE, timestamp=number)
    before = set(repo.commits())

    first = Run(repo, add_tombstones=True)
    again = Run(repo, add_tombstones=True)

    assert first.tombstones == [ONE]
    assert again.tombstones == []
    assert set(repo.commits()) == before
    assert repo.store.has(ONE, ObjectType.TOMBSTONE_COMMIT)
    assert repo.config.tombstones


def test_without_missing_parents_there_are_no_tombstones(repo: Repo) -> None:
    Run(repo, add_tombstones=True)

    assert list(repo.store.objects_of(ObjectType.TOMBSTONE_COMMIT)) == []
    assert not repo.config.tombstones


def test_a_commit_that_is_written_again_takes_its_tombstone_away(repo: Repo) -> None:
    root = repo.load_commit(COMMIT).root
    for fsync in (True, False):
        with repo.transaction(fsync=fsync) as txn:
            commit = txn.commit(root, timestamp=7)
        enable_tombstones(repo)
        delete_commit(repo, commit)
        assert repo.store.has(commit, ObjectType.TOMBSTONE_COMMIT)

        with repo.transaction(fsync=fsync) as txn:
            txn.commit(root, timestamp=7)

        assert not repo.store.has(commit, ObjectType.TOMBSTONE_COMMIT)


# many -------------------------------------------------------------------------------------------


def test_a_hundred_bad_objects_are_told_in_order(repo: Repo, tmp_path: Path) -> None:
    """They are looked for in batches; none is lost, and the count is right."""
    (tmp_path / "many").mkdir()
    for number in range(100):
        (tmp_path / f"many/{number}").write_text(f"number {number}")
    with repo.transaction(fsync=False) as txn:
        root = txn.import_directory(tmp_path / "many")
        commit = txn.commit(root)
    files = [file for _, file in repo.load_dirtree(root.dirtree).files]
    for file in files:
        repo.store.delete(ObjectName(file, ObjectType.FILE))

    run = Run(repo)

    assert [line for line in run.warned if line.startswith("Object")] == [
        f"Object missing in commits {commit}: {file}.file" for file in sorted(files)
    ]
    assert run.steps[-1].done == run.steps[-1].total


def test_what_a_damaged_directory_leads_to_is_told_with_its_commits(repo: Repo) -> None:
    """Although the directory itself is deleted in the same run."""
    data = METADATA[(BIN_TREE, "dirtree")].replace(b"run.sh", b"run.SH")
    overwrite(repo, BIN_TREE, ObjectType.DIRTREE, data)
    repo.store.delete(ObjectName(RUN, ObjectType.FILE))

    run = Run(repo, delete=True)

    assert run.error is None
    assert f"Object missing in commits {COMMIT}: {RUN}.file" in run.warned
    assert not repo.has_object(BIN_TREE, ObjectType.DIRTREE)


# partial commits --------------------------------------------------------------------------------


def test_partial_commits_are_not_verified(repo: Repo) -> None:
    with repo.transaction(fsync=False) as txn:
        txn.mark_partial(COMMIT)
    repo.store.delete(ObjectName(HELLO, ObjectType.FILE))

    run = Run(repo)

    assert run.error is None
    assert not run.corrupted
    assert not run.partial_from_fsck
    assert (run.partial, run.commits) == (1, 0)


def test_objects_of_the_parent_repository_count(repo: Repo, tmp_path: Path) -> None:
    Repo.create(tmp_path / "child", repo.mode).close()
    with (tmp_path / "child/config").open("a") as file:
        file.write("parent=../repo\n")

    with Repo.open(tmp_path / "child") as child:
        run = Run(child)

    assert run.error is None
    assert (run.commits, run.objects) == (1, 13)


def test_what_this_process_lacks_is_no_damage(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> object:
        raise RepoError("openat: Too many open files")

    monkeypatch.setattr(repo.store, "load", refuse)

    run = Run(repo, delete=True)

    assert isinstance(run.error, RepoError)
    assert repo.has_object(HELLO, ObjectType.FILE)
    assert not repo.is_partial(COMMIT)
