"""Files that did not change are not read again, and nothing that did is taken for unchanged."""

from __future__ import annotations

import os
import shutil
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ostree.errors import NotFoundError
from ostree.formats import stat_cache as layout
from ostree.repo import stat_cache
from ostree.repo.modifier import Modifier
from ostree.repo.mutable_tree import MutableTree
from ostree.repo.repository import Repo
from ostree.types import Checksum, ObjectName, ObjectType, TreeId
from support.memory import in_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Seconds that stand for the two seconds in which a file may change without a new time stamp, and
#: what to wait for that a file is older; the kernel's clock moves every 4 ms or so.
RACY, LONGER = 0.05, 0.08
FILES = {"one": b"1", "two": b"22", "sub/three": b"333", "sub/large": b"x" * 200_000}


class Lab(NamedTuple):
    """A tree, and a repository to commit it to."""

    repo: Repo
    tree: Path

    def commit(
        self, modifier: Modifier | None = None, *, cache: bool | None = True
    ) -> tuple[TreeId, int]:
        """The tree's checksums, and how many files were not read."""
        with self.repo.transaction(fsync=False) as txn:
            root = txn.import_directory(self.tree, modifier=modifier, stat_cache=cache)
        return root, txn.stats.content_cache_hits

    @property
    def file(self) -> Path:
        """Where the cache is."""
        return self.tree.parent / "repo/tmp/cache/commit-stat"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Four files that are old enough."""
    monkeypatch.setattr(stat_cache, "_RACY", int(RACY * 1e9))
    with in_memory(tmp_path) as place, Repo.create(place / "repo", "archive") as repo:
        for name, content in FILES.items():
            (place / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "tree" / name).write_bytes(content)
        (place / "tree/link").symlink_to("one")
        time.sleep(LONGER)
        yield Lab(repo, place / "tree")


def test_files_that_did_not_change_are_not_read(lab: Lab) -> None:
    first, before = lab.commit()
    second, hits = lab.commit()

    assert (before, hits) == (0, len(FILES))
    assert second == first == lab.commit(cache=False)[0]


def test_nothing_is_kept_that_nobody_asked_for(lab: Lab) -> None:
    lab.commit(cache=None)
    lab.commit(cache=False)

    assert not lab.file.exists()


def test_the_configuration_asks_for_it(lab: Lab) -> None:
    lab.repo.config.keyfile.set_string("core", "pyostree-stat-cache", "true")
    lab.commit(cache=None)

    assert lab.commit(cache=None)[1] == len(FILES)
    assert lab.commit(cache=False)[1] == 0


def test_what_is_consumed_is_not_remembered(lab: Lab) -> None:
    with lab.repo.transaction(fsync=False) as txn:
        txn.add_directory(MutableTree(), lab.tree, consume=True, stat_cache=True)

    assert not lab.file.exists()


def test_a_file_that_changes_in_the_same_moment_is_read(lab: Lab) -> None:
    """Its time stamps may be what they were: nothing so young is remembered."""
    (lab.tree / "one").write_bytes(b"a")
    first, _ = lab.commit()
    (lab.tree / "one").write_bytes(b"b")
    second, hits = lab.commit()

    assert hits == len(FILES) - 1
    assert second != first
    assert second == lab.commit(cache=False)[0]


def test_a_time_that_is_set_back_does_not_hide_a_change(lab: Lab) -> None:
    first, _ = lab.commit()
    info = (lab.tree / "one").stat()
    (lab.tree / "one").write_bytes(b"2")
    os.utime(lab.tree / "one", ns=(info.st_atime_ns, info.st_mtime_ns))

    second, hits = lab.commit()

    assert hits == len(FILES) - 1
    assert second == lab.commit(cache=False)[0] != first


def test_a_file_that_another_took_the_place_of_is_read(lab: Lab) -> None:
    lab.commit()
    (lab.tree / "one").rename(lab.tree / "old")
    (lab.tree / "two").rename(lab.tree / "one")
    (lab.tree / "old").rename(lab.tree / "two")

    assert lab.commit()[0] == lab.commit(cache=False)[0]


def test_an_object_that_is_gone_is_stored_again(lab: Lab) -> None:
    root, _ = lab.commit()
    gone = Checksum(lab.repo.load_dirtree(root.dirtree).files[1][1])
    lab.repo.store.delete(ObjectName(gone, ObjectType.FILE))

    again, hits = lab.commit()

    assert (again, hits) == (root, len(FILES) - 1)
    assert lab.repo.has_object(gone, ObjectType.FILE)


@pytest.mark.parametrize(
    "make",
    [
        partial(Modifier, owner_uid=12, owner_gid=34),
        partial(Modifier, canonical_permissions=True),
        partial(Modifier, ro_executables=True, no_xattrs=True),
        partial(Modifier, add_modes={"/one": 0o4000}),
        partial(Modifier, skip=["/one"]),
        partial(Modifier, filter=lambda path, uid, gid, mode: (uid, gid + len(path), mode)),
        partial(Modifier, label=lambda path, mode: f"{path} {mode}".encode()),
    ],
    ids=["owner", "canonical", "read-only", "modes", "skip", "filter", "label"],
)
def test_what_is_changed_about_files_counts(lab: Lab, make: Callable[[], Modifier]) -> None:
    """Known is a file with what is committed of it: another owner is another file."""
    (lab.tree / "one").chmod(0o775)
    time.sleep(LONGER)
    plain, _ = lab.commit()
    changed, _ = lab.commit(make())
    modifier = make()

    again, hits = lab.commit(modifier)

    assert again == changed == lab.commit(make(), cache=False)[0]
    assert changed != plain
    # What the root has now, less the link, and two below it.
    assert hits == len(lab.repo.load_dirtree(changed.dirtree).files) - 1 + 2
    assert modifier.unmatched_modes == modifier.unmatched_skips == []
    assert lab.commit()[0] == plain


def test_attributes_count(lab: Lab) -> None:
    lab.commit()
    try:
        os.setxattr(lab.tree / "one", "user.colour", b"red")
    except OSError:
        pytest.skip("the file system keeps no attributes")

    assert lab.commit()[0] == lab.commit(cache=False)[0]


def test_only_files_that_are_as_they_should_be_are_read(lab: Lab) -> None:
    """One that others could write, of another boot, or no regular file, is as good as none."""
    lab.commit()
    lab.file.chmod(0o660)
    assert lab.commit()[1] == 0
    assert lab.commit()[1] == len(FILES)

    with Repo.open(lab.repo.path, boot_id="another") as other:
        assert Lab(other, lab.tree).commit()[1] == 0
        assert Lab(other, lab.tree).commit()[1] == len(FILES)

    lab.file.rename(lab.file.with_name("elsewhere"))
    lab.file.symlink_to("elsewhere")
    assert lab.commit()[1] == 0
    assert not lab.file.is_symlink()


@pytest.mark.parametrize("damage", [b"", b"junk" * 50, None])
def test_damage_costs_time_only(lab: Lab, damage: bytes | None) -> None:
    root, _ = lab.commit()
    data = bytearray(lab.file.read_bytes())
    data[100] ^= 1  # within a record
    lab.file.write_bytes(data if damage is None else damage)

    assert lab.commit()[0] == root
    assert lab.commit() == (root, len(FILES))


def test_a_directory_in_place_of_the_cache_is_no_error(lab: Lab) -> None:
    lab.file.mkdir(parents=True)

    root, _ = lab.commit()

    assert lab.commit() == (root, 0)
    assert sorted(os.listdir(lab.file.parent.parent)) == ["cache"]  # nothing is left behind


def test_without_a_boot_there_is_no_cache(lab: Lab) -> None:
    with Repo.open(lab.repo.path, boot_id="00000000-0000-0000-0000-000000000000") as other:
        Lab(other, lab.tree).commit()

        assert Lab(other, lab.tree).commit()[1] == 0


def test_file_systems_with_times_of_their_own_are_not_trusted(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.commit()
    monkeypatch.setattr(stat_cache, "_TRUSTED", frozenset())

    assert lab.commit()[1] == 0


def test_times_of_no_range_are_no_error(lab: Lab) -> None:
    os.utime(lab.tree / "one", (1 << 36, 1 << 36))
    time.sleep(LONGER)
    lab.commit()

    root, hits = lab.commit()

    assert root == lab.commit(cache=False)[0]
    # Where the file system keeps such a time it cannot be written down.
    kept = (lab.tree / "one").stat().st_mtime_ns >= 1 << 63
    assert hits == len(FILES) - kept


def test_other_trees_stay_known_for_a_while(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stat_cache, "_KEPT_WRITES", 3)
    other = lab.tree.with_name("other")
    other.mkdir()
    other_lab = Lab(lab.repo, other)
    lab.commit()
    hits = []
    for number in range(5):
        (other / f"new{number}").touch()
        time.sleep(LONGER)
        other_lab.commit()
        if number in {1, 4}:
            hits.append(lab.commit()[1])

    # The first of the two changed nothing, and so was not written down.
    assert hits == [len(FILES), 0]


def test_its_size_is_bounded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = layout.HEADER_SIZE + 2 * layout.RECORD_SIZE + layout.ENTRY_SIZE
    monkeypatch.setattr(stat_cache, "MAX_SIZE", limit)
    root, _ = lab.commit()

    assert lab.file.stat().st_size == limit
    assert lab.commit() == (root, 2)


def test_an_unmatched_rule_is_still_a_mistake(lab: Lab) -> None:
    lab.commit()
    modifier = Modifier(add_modes={"/not/there": 0o4000})
    lab.commit(modifier)

    with pytest.raises(NotFoundError):
        modifier.require_matched()


def test_a_tree_that_is_copied_is_read(lab: Lab) -> None:
    """A copy has the same times and sizes, and other inodes."""
    lab.commit()
    copy = lab.tree.with_name("copy")
    shutil.copytree(lab.tree, copy, symlinks=True)

    assert Lab(lab.repo, copy).commit()[1] == 0
