"""Transactions: nothing is visible before the end, refs come last, what was written is not lost."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ostree.errors import (
    ChecksumError,
    ExistsError,
    FormatError,
    LockError,
    OSTreeError,
    RepoError,
    SpaceError,
)
from ostree.formats.gvariant import Variant
from ostree.repo import staging
from ostree.repo.modifier import Modifier
from ostree.repo.repository import Repo
from ostree.types import Checksum, ObjectType
from support import processes
from support.vectors import (
    BINDINGS,
    BODY,
    COMMIT,
    COMMIT_BARE_USER_ONLY,
    EMPTY_TREE,
    HELLO,
    META_0755,
    METADATA,
    ROOT_TREE,
    SUBJECT,
    TIMESTAMP,
    make_tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The vectors belong to root; others commit the tree as root's.
AS_ROOT = Modifier(owner_uid=0, owner_gid=0)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo", "archive") as opened:
        yield opened


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "tree")


def configure(repo: Repo, key: str, value: str) -> None:
    keyfile = repo.config.keyfile.copy()
    keyfile.set_string("core", key, value)
    repo.save_config(keyfile)


def commit(repo: Repo, tree: Path, ref: str = "test/branch", *, fsync: bool | None = None) -> str:
    with repo.transaction(fsync=fsync) as txn:
        root = txn.import_directory(tree, modifier=AS_ROOT)
        checksum = txn.commit(
            root, subject=SUBJECT, body=BODY, metadata=BINDINGS, timestamp=TIMESTAMP
        )
        txn.set_ref(ref, checksum)
    return checksum


def temporary(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / "repo/tmp"))


def objects(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "repo/objects").rglob("*") if path.is_file())


class Stop(Exception):  # noqa: N818 - not an error of ours
    """What a test ends a transaction with."""


def test_a_commit_is_published_as_a_whole(repo: Repo, tree: Path, tmp_path: Path) -> None:
    with repo.transaction() as txn:
        root = txn.import_directory(tree, modifier=AS_ROOT)
        checksum = txn.commit(
            root, subject=SUBJECT, body=BODY, metadata=BINDINGS, timestamp=TIMESTAMP
        )
        txn.set_ref("test/branch", checksum)
        with Repo.open(repo.path) as other:
            assert not other.has_object(HELLO, ObjectType.FILE)
            assert not other.has_object(checksum, ObjectType.COMMIT)
            assert other.refs.all() == {}
        assert repo.has_object(checksum, ObjectType.COMMIT)
        assert repo.load_commit(checksum).subject == SUBJECT
        assert objects(tmp_path) == []

    assert checksum == COMMIT
    assert repo.resolve("test/branch") == COMMIT
    assert len(objects(tmp_path)) == 13
    assert temporary(tmp_path) == []
    assert not repo.fsck().corrupted
    stats = txn.stats
    assert (stats.content_total, stats.content_written) == (6, 6)
    assert (stats.metadata_total, stats.metadata_written) == (9, 7)
    assert stats.content_bytes_written == 6 + 18 + 1000 + 11


@pytest.mark.parametrize("mode", ["bare-user", "bare-user-only"])
def test_other_modes_make_their_commit(tmp_path: Path, tree: Path, mode: str) -> None:
    with Repo.create(tmp_path / "repo", mode) as repo:
        expected = COMMIT if mode == "bare-user" else COMMIT_BARE_USER_ONLY

        assert commit(repo, tree) == expected
        assert not repo.fsck().corrupted


def test_what_exists_is_not_written_again(repo: Repo, tree: Path, tmp_path: Path) -> None:
    commit(repo, tree)
    before = {path: path.stat().st_ino for path in (tmp_path / "repo/objects").rglob("*.*")}

    with repo.transaction() as txn:
        txn.import_directory(tree, modifier=AS_ROOT)

    assert (txn.stats.content_written, txn.stats.metadata_written) == (0, 0)
    assert before == {path: path.stat().st_ino for path in before}


def test_an_error_publishes_nothing_and_keeps_what_was_written(
    repo: Repo, tree: Path, tmp_path: Path
) -> None:
    def fail() -> None:
        with repo.transaction() as txn:
            txn.set_ref("a", COMMIT)
            txn.import_directory(tree, modifier=AS_ROOT)
            raise Stop

    with pytest.raises(Stop):
        fail()

    assert objects(tmp_path) == []
    assert repo.refs.all() == {}
    (left,) = temporary(tmp_path)
    assert left.startswith(f"staging-{staging.boot_id()}-")
    assert not repo.has_object(HELLO, ObjectType.FILE)

    with repo.transaction() as txn:
        assert txn.resumed
        assert repo.has_object(HELLO, ObjectType.FILE)
        txn.import_directory(tree, modifier=AS_ROOT)
    assert (txn.stats.content_written, txn.stats.metadata_written) == (0, 0)
    assert len(objects(tmp_path)) == 12
    assert temporary(tmp_path) == []


def test_refs_are_written_after_the_objects(repo: Repo, tree: Path, tmp_path: Path) -> None:
    repo.refs.set("test", COMMIT)

    with pytest.raises(ExistsError):
        commit(repo, tree)

    assert repo.refs.all() == {"test": COMMIT}
    assert len(objects(tmp_path)) == 13
    assert temporary(tmp_path) == []


def test_refs_can_be_deleted_with_the_rest(repo: Repo) -> None:
    repo.refs.set("old", COMMIT)

    with repo.transaction() as txn:
        txn.set_ref("old", None)
        txn.set_ref("new", COMMIT)
        txn.set_mirrored_ref("org.example.Os", "x", COMMIT)
        assert repo.refs.all() == {"old": COMMIT}

    assert repo.refs.all() == {"new": COMMIT}
    assert repo.refs.mirrored() == {("org.example.Os", "x"): COMMIT}


def test_own_collection_is_no_mirror(tmp_path: Path) -> None:
    with Repo.create(tmp_path / "repo", collection_id="org.example.Os") as repo:
        with repo.transaction() as txn:
            txn.set_mirrored_ref("org.example.Os", "x", COMMIT)

        assert repo.refs.all() == {"x": COMMIT}
        assert repo.refs.mirrored() == {}


def test_a_commit_appears_after_all_that_it_needs(
    repo: Repo, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stops the publication, and wherever: no commit without its objects."""
    genuine = os.rename
    left = 0

    def rename(source: str, destination: str, **options: int) -> None:
        nonlocal left
        if not left:
            raise Stop
        left -= 1
        genuine(source, destination, **options)

    monkeypatch.setattr(os, "rename", rename)
    stops = 0
    while f"{COMMIT[2:]}.commit" not in objects(tmp_path):
        left = 1
        with pytest.raises(Stop):
            commit(repo, tree)
        stops += 1

        assert not repo.fsck().corrupted
    assert stops > 5
    assert len(objects(tmp_path)) == 13
    left = 100
    assert commit(repo, tree) == COMMIT
    assert repo.fsck().objects == 13


def test_directories_of_objects_that_are_new_arrive_whole(
    repo: Repo, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with one rename; what is there already is added to, one object at a time."""
    commit(repo, tree)
    kept = os.listdir(tmp_path / "repo/objects")
    shutil.move(tmp_path / "repo/objects", tmp_path / "before")
    (tmp_path / "repo/objects" / kept[0]).mkdir(parents=True)
    (tmp_path / "repo/objects" / kept[0] / "other").touch()
    (tmp_path / "repo/objects" / kept[1]).mkdir()
    renamed: list[str] = []
    genuine = os.rename

    def rename(source: str, destination: str, **options: int) -> None:
        genuine(source, destination, **options)
        renamed.append(source)

    with Repo.open(repo.path) as opened:
        monkeypatch.setattr(os, "rename", rename)
        commit(opened, tree)

        assert not opened.fsck().corrupted
    whole = {name for name in kept if not list((tmp_path / "before" / name).glob("*.commit"))}
    assert {name for name in renamed if len(name) == 2} == whole - {kept[0]}
    assert (tmp_path / "repo/objects" / kept[0] / "other").exists()


# staging directories ----------------------------------------------------------------------------


def test_transactions_at_the_same_time_have_their_own_staging(repo: Repo, tmp_path: Path) -> None:
    with Repo.open(repo.path) as other, repo.transaction(), other.transaction() as second:
        assert not second.resumed
        assert len([name for name in temporary(tmp_path) if not name.endswith("-lock")]) == 2

    assert temporary(tmp_path) == []


def test_staging_of_other_boots_is_removed(repo: Repo, tmp_path: Path) -> None:
    tmp = tmp_path / "repo/tmp"
    (tmp / "staging-other-boot-abcdef/00").mkdir(parents=True)
    (tmp / "staging-other-boot-abcdef/00/x.filez").write_bytes(b"")

    with repo.transaction() as txn:
        assert not txn.resumed

    assert temporary(tmp_path) == []


def test_staging_of_other_boots_that_is_in_use_stays(repo: Repo, tmp_path: Path) -> None:
    with (
        Repo.open(repo.path, boot_id="other") as other,
        other.transaction(),
        repo.transaction(),
    ):
        pass

    assert temporary(tmp_path) == []


def test_what_may_be_of_another_boot_is_not_taken_up(tmp_path: Path) -> None:
    """Nobody knows whether all of it has reached the disk."""
    Repo.create(tmp_path / "repo").close()
    with Repo.open(tmp_path / "repo", boot_id=staging.UNKNOWN_BOOT) as repo:
        left = tmp_path / "repo/tmp" / f"staging-{staging.UNKNOWN_BOOT}-abcdef"
        (left / "00").mkdir(parents=True)
        (left / "00" / f"{'0' * 62}.commit").write_bytes(b"")

        with repo.transaction() as txn:
            assert not txn.resumed

    assert objects(tmp_path) == []
    assert temporary(tmp_path) == []


def test_the_boot_can_be_named(tmp_path: Path, tree: Path) -> None:
    Repo.create(tmp_path / "repo").close()
    with Repo.open(tmp_path / "repo", boot_id="my-boot") as repo, repo.transaction():
        names = temporary(tmp_path)

    assert all(name.startswith("staging-my-boot-") for name in names)
    assert len(names) == 2


def test_old_entries_go_and_young_ones_stay(repo: Repo, tmp_path: Path) -> None:
    tmp = tmp_path / "repo/tmp"
    (tmp / "old").mkdir()
    (tmp / "old/file").write_bytes(b"")
    (tmp / "young").write_bytes(b"")
    (tmp / "cache").mkdir()
    (tmp / "old-lock").write_bytes(b"")
    for name in ("old", "cache", "old-lock"):
        os.utime(tmp / name, ns=(0, 0))

    with repo.transaction():
        pass

    assert temporary(tmp_path) == ["cache", "old-lock", "young"]


def test_a_lock_without_its_directory_is_no_obstacle(repo: Repo, tmp_path: Path) -> None:
    name = f"staging-{staging.boot_id()}-abcdef"
    (tmp_path / "repo/tmp" / f"{name}-lock").write_bytes(b"")

    with repo.transaction() as txn:
        assert not txn.resumed


def test_unfinished_files_of_a_crash_are_not_published(repo: Repo, tmp_path: Path) -> None:
    left = tmp_path / "repo/tmp" / f"staging-{staging.boot_id()}-abcdef"
    (left / "00").mkdir(parents=True)
    (left / "tmp.0123").write_bytes(b"half")
    (left / "00/.tmp-0123").write_bytes(b"half")

    with repo.transaction() as txn:
        assert txn.resumed

    assert objects(tmp_path) == []
    assert temporary(tmp_path) == []


# syncing ----------------------------------------------------------------------------------------


class Syncs:
    """Counts what would reach the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        monkeypatch.setattr("os.fsync", lambda _fd: self.calls.append("fsync"))
        monkeypatch.setattr("os.fdatasync", lambda _fd: self.calls.append("fdatasync"))
        monkeypatch.setattr(
            "ostree.system.files.sync_filesystem", lambda _fd: self.calls.append("syncfs")
        )


def test_the_file_system_is_synced_before_and_after_objects_get_their_names_and_refs_last(
    repo: Repo, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = Syncs(monkeypatch)

    commit(repo, tree)

    # Contents, names of objects, name of the commit, ref.
    assert syncs.calls == ["syncfs", "syncfs", "fsync", "fdatasync"]


def test_who_publishes_nothing_syncs_nothing(
    repo: Repo, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But a ref leads to what has been synced, whoever wrote it."""
    first = Checksum(commit(repo, tree))
    syncs = Syncs(monkeypatch)

    with repo.transaction():
        pass
    assert syncs.calls == []

    with repo.transaction() as txn:
        txn.set_ref("other", first)
    assert syncs.calls == ["syncfs", "fdatasync"]


@pytest.mark.parametrize("how", ["config", "argument"])
def test_without_fsync_nothing_is_synced_and_nothing_staged(
    repo: Repo, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "config":
        configure(repo, "fsync", "false")
    with Repo.open(repo.path) as opened:
        syncs = Syncs(monkeypatch)
        with opened.transaction(fsync=False if how == "argument" else None) as txn:
            txn.import_directory(tree, modifier=AS_ROOT)
            assert len(objects(tmp_path)) == 12
            assert temporary(tmp_path) == []

        assert syncs.calls == []
        assert commit(opened, tree, fsync=False) == COMMIT
        # The ref is the repository's own business.
        assert set(syncs.calls) <= {"fdatasync"}


def test_every_content_object_can_be_synced(
    repo: Repo, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(repo, "per-object-fsync", "true")
    syncs = Syncs(monkeypatch)

    with repo.transaction() as txn:
        txn.import_directory(tree, modifier=AS_ROOT)
        before = list(syncs.calls)
        assert len(objects(tmp_path)) == 12

    assert before.count("fsync") >= 5
    assert syncs.calls[len(before)] == "syncfs"


# what is refused --------------------------------------------------------------------------------


def test_metadata_is_checked_before_it_is_stored(repo: Repo, tmp_path: Path) -> None:
    good = METADATA[(ROOT_TREE, "dirtree")]
    with repo.transaction() as txn:
        for type, data, message in [
            (ObjectType.DIRTREE, b"\1", "Not normal form"),
            (ObjectType.DIRMETA, bytes(12), "Invalid directory metadata mode 0; not a directory"),
            (ObjectType.COMMIT, b"", "Not normal form"),
        ]:
            with pytest.raises(FormatError) as caught:
                txn.write_metadata(type, data)
            assert str(caught.value) == message
        with pytest.raises(ChecksumError) as mismatch:
            txn.write_metadata(ObjectType.DIRTREE, good, expected=EMPTY_TREE)

        assert str(mismatch.value) == (
            f"Corrupted dirtree object; checksum expected='{EMPTY_TREE}' actual='{ROOT_TREE}'"
        )
        assert txn.write_metadata(ObjectType.DIRTREE, good, expected=ROOT_TREE) == ROOT_TREE
    assert objects(tmp_path) == [f"{ROOT_TREE[2:]}.dirtree"]


def test_content_is_checked_when_it_is_expected(repo: Repo, tree: Path, tmp_path: Path) -> None:
    commit(repo, tree)
    with Repo.create(tmp_path / "other", "bare-user") as other, other.transaction() as txn:
        with repo.load_content(HELLO) as content, pytest.raises(ChecksumError) as caught:
            txn.write_content(content, expected=EMPTY_TREE)
        with repo.load_content(HELLO) as content:
            assert txn.write_content(content, expected=HELLO) == HELLO

    assert str(caught.value) == (
        f"Writing content object: Corrupted file object; checksum expected='{EMPTY_TREE}' "
        f"actual='{HELLO}'"
    )
    assert (tmp_path / "other/objects/44" / f"{HELLO[2:]}.file").read_bytes() == b"hello\n"


def test_too_large_metadata_is_refused(repo: Repo) -> None:
    with repo.transaction() as txn, pytest.raises(RepoError, match="is too large: 134217729"):
        txn.write_metadata(ObjectType.COMMITMETA, bytes(128 * 1024 * 1024 + 1))


def test_detached_metadata_is_whatever_it_is(repo: Repo, tree: Path) -> None:
    """Upstream keeps what a server has; whoever reads it has to look."""
    checksum = Checksum(commit(repo, tree))
    with repo.transaction() as txn:
        txn.write_detached(checksum, b"x")
        with pytest.raises(FormatError):
            repo.load_detached(checksum)
        txn.write_detached(checksum, b"")
        assert repo.load_detached(checksum) == []

    assert repo.load_detached(checksum) == []
    assert repo.load_detached("0" * 64) is None


def test_detached_metadata_of_a_transaction_replaces_the_old(repo: Repo, tree: Path) -> None:
    from ostree.formats import commitmeta

    checksum = Checksum(commit(repo, tree))
    for value in ("one", "two"):
        with repo.transaction() as txn:
            txn.write_detached(checksum, commitmeta.encode([("k", Variant("s", value))]))

    assert repo.load_detached(checksum) == [("k", Variant("s", "two"))]


def test_partial_marks_come_and_go(repo: Repo, tree: Path, tmp_path: Path) -> None:
    checksum = Checksum(commit(repo, tree))
    with repo.transaction() as txn:
        txn.mark_partial(checksum)
        assert repo.is_partial(checksum)
        assert (tmp_path / f"repo/state/{checksum}.commitpartial").read_bytes() == b""

    txn.unmark_partial(checksum)
    assert not repo.is_partial(checksum)


# space ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("min-free-space-percent", "99", "min-free-space-percent '99%' would be exceeded, at least "),
        ("min-free-space-size", "900TB", "min-free-space-size 943718400MB would be exceeded, at least "),
    ],
)  # fmt: skip
def test_the_minimum_of_free_space_is_kept(
    repo: Repo, tree: Path, tmp_path: Path, key: str, value: str, message: str
) -> None:
    free = os.statvfs(repo.path)
    if key.endswith("percent") and free.f_bfree > free.f_blocks * 0.98:
        pytest.skip("the file system is all but empty")
    configure(repo, key, value)

    with pytest.raises(SpaceError) as caught:
        commit(repo, tree)

    assert str(caught.value).startswith(f"Writing content object: {message}")
    assert str(caught.value).endswith(" requested")
    assert temporary(tmp_path) == []
    assert repo.refs.all() == {}


def test_metadata_needs_no_space_reserve(repo: Repo) -> None:
    configure(repo, "min-free-space-size", "900TB")

    with repo.transaction() as txn:
        txn.write_metadata(ObjectType.DIRMETA, METADATA[(META_0755, "dirmeta")])

    assert repo.has_object(META_0755, ObjectType.DIRMETA)


def test_the_reserve_can_be_switched_off(repo: Repo, tree: Path) -> None:
    configure(repo, "min-free-space-percent", "0")

    assert commit(repo, tree) == COMMIT


# locks and rights -------------------------------------------------------------------------------

HOLD = """
    import sys
    from ostree.repo.repository import Repo
    with Repo.open(sys.argv[1]) as repo, repo.lock.hold(exclusive=sys.argv[2] == "exclusive"):
        print("locked", flush=True)
        sys.stdin.read()
"""


@pytest.mark.parametrize(("seconds", "kind"), [("0", "exclusive"), ("1", "exclusive")])
def test_another_process_keeps_transactions_out(
    repo: Repo, tree: Path, seconds: str, kind: str
) -> None:
    configure(repo, "lock-timeout-secs", seconds)
    with processes.start(HOLD, repo.path, kind) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"

        with pytest.raises(LockError) as caught:
            commit(repo, tree)

        assert str(caught.value) == "Locking repo shared failed: Resource temporarily unavailable"
        holder.stdin.close()
        holder.wait()
    assert commit(repo, tree) == COMMIT


def test_transactions_keep_exclusive_locks_out(repo: Repo) -> None:
    with Repo.open(repo.path) as other:
        configure(other, "lock-timeout-secs", "0")
        with repo.transaction():
            with pytest.raises(LockError) as caught, other.lock.hold(exclusive=True):
                pass
            with other.transaction():
                pass

    assert str(caught.value) == "Locking repo exclusive failed: Resource temporarily unavailable"


def test_locks_are_reentrant_and_convert(repo: Repo) -> None:
    with Repo.open(repo.path) as other:
        configure(other, "lock-timeout-secs", "0")
        with repo.lock.hold(exclusive=False):
            with (
                repo.lock.hold(exclusive=True),
                repo.lock.hold(exclusive=False),
                pytest.raises(LockError),
                other.lock.hold(exclusive=False),
            ):
                pass
            with other.lock.hold(exclusive=False):
                pass
        with other.lock.hold(exclusive=True):
            pass


def test_without_locking_there_is_no_lock_file(repo: Repo, tree: Path, tmp_path: Path) -> None:
    configure(repo, "locking", "false")

    with Repo.open(repo.path) as opened:
        commit(opened, tree)

    assert not (tmp_path / "repo/.lock").exists()


READ_ONLY = """
    import sys
    from ostree.errors import OSTreeError
    from ostree.repo.repository import Repo
    from ostree.types import Checksum
    with Repo.open(sys.argv[1]) as repo:
        print(repo.writable, repo.fsck().corrupted, repo.resolve("test/branch"))
        actions = [
            lambda: repo.transaction().__enter__(),
            lambda: repo.save_config(repo.config.keyfile.copy()),
            lambda: repo.refs.set("new", Checksum("1" * 64)),
        ]
        for action in actions:
            try:
                action()
            except OSTreeError as error:
                print(error)
        with repo.lock.hold(exclusive=True):
            print("unlocked")
"""


def test_a_repository_that_is_not_ours_can_be_read(repo: Repo, tree: Path, tmp_path: Path) -> None:
    commit(repo, tree)
    directories = [tmp_path / "repo", *(tmp_path / "repo").rglob("*/")]
    for directory in directories:
        directory.chmod(0o555)
    try:
        done = processes.run_unprivileged(READ_ONLY, tmp_path / "repo")
    finally:
        for directory in directories:
            directory.chmod(0o755)

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"False False {COMMIT}",
        "Cannot write to repository: Permission denied",
        "open(O_TMPFILE): Permission denied",
        "open(O_TMPFILE): Permission denied",
        "unlocked",
    ]


def test_errors_of_the_system_are_ours(
    repo: Repo, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up while the objects are renamed is no crash of ours."""
    import errno

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.rename", refuse)

    with pytest.raises(OSTreeError, match="No space left on device"):
        commit(repo, tree)
