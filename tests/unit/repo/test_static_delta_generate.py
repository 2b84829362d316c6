"""Making deltas: what is in them, that they are the same each time, and that they appear whole."""

from __future__ import annotations

import gc
import os
import random
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from ostree.errors import ObjectNotFoundError, OSTreeError
from ostree.events import Message, StepProgress
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.name import DeltaName
from ostree.formats.delta.part import Compressor
from ostree.repo.repository import Repo
from ostree.repo.static_delta import storage
from ostree.repo.static_delta.generate import Trees, generate
from ostree.repo.static_delta.indexes import reindex, targets
from ostree.repo.static_delta.offline import apply_offline
from ostree.repo.static_delta.plan import DeltaOptions
from ostree.repo.static_delta.shares import shares
from ostree.repo.static_delta.statistics import part_statistics
from ostree.transfer.options import PullOptions
from ostree.transfer.pull_local import pull_local
from ostree.types import ObjectType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.events import Event
    from ostree.types import Checksum


class Source:
    """A repository with two commits."""

    def __init__(self, path: Path, mode: str = "archive") -> None:
        self.repo = Repo.create(path / "source", mode)
        rng = random.Random(7)
        tree = path / "tree"
        (tree / "lib").mkdir(parents=True)
        program, table = bytearray(rng.randbytes(40_000)), bytearray(rng.randbytes(200_000))
        (tree / "program").write_bytes(program)
        (tree / "lib" / "table").write_bytes(table)
        (tree / "secret").write_bytes(program)
        (tree / "secret").chmod(0o600)
        self.old = self._commit(tree, None)
        program[10:20] = b"0123456789"
        table[150_000] ^= 1
        (tree / "program").write_bytes(program)
        (tree / "lib" / "table").write_bytes(table)
        (tree / "secret").write_bytes(program[::-1])
        (tree / "empty").write_bytes(b"")
        (tree / "video").write_bytes(rng.randbytes(1_100_000))
        (tree / "link").symlink_to("program")
        self.new = self._commit(tree, self.old)
        self.name = DeltaName(self.old, self.new)

    def _commit(self, tree: Path, parent: Checksum | None) -> Checksum:
        with self.repo.transaction(fsync=False) as transaction:
            root = transaction.import_directory(tree)
            return transaction.commit(root, parent=parent, timestamp=1)

    def files(self, name: DeltaName | None = None) -> dict[str, bytes]:
        """The files of a delta by name, the time in the superblock left out."""
        directory = f"{self.repo.path}/{(name or self.name).directory}"
        found = {}
        for entry in sorted(os.listdir(directory)):
            with open(f"{directory}/{entry}", "rb") as file:
                found[entry] = file.read()
        superblock = superblock_format.decode(found["superblock"])
        superblock.timestamp = 0
        found["superblock"] = superblock_format.encode(superblock)
        return found


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    source = Source(tmp_path)
    yield source
    source.repo.close()


def taker(source: Source, path: Path, mode: str = "bare-user") -> Repo:
    """A repository with the old commit."""
    repo = Repo.create(path, mode)
    pull_local(repo, source.repo.path, [source.old], PullOptions(fsync=False))
    return repo


@pytest.mark.parametrize("mode", ["archive", "bare-user", "bare-user-only"])
@pytest.mark.parametrize(
    "options",
    [
        DeltaOptions(),
        DeltaOptions(bsdiff=False),
        DeltaOptions(inline=True, endianness="B"),
        DeltaOptions(max_chunk_size=0),
        DeltaOptions(max_bsdiff_size=0),
        DeltaOptions(max_memory=3_000_000),
    ],
)
def test_a_delta_brings_the_new_commit(
    tmp_path: Path, source: Source, mode: str, options: DeltaOptions
) -> None:
    """Byte for byte, from deltas made every way into repositories of every mode."""
    generate(source.repo, source.name, options)

    with taker(source, tmp_path / "taker", mode) as repo:
        apply_offline(repo, f"{source.repo.path}/{source.name.directory}")

        repo.refs.set("main", source.new)
        result = repo.fsck()
        assert (result.corrupted, result.partial) == (False, 0)
        assert repo.load_commit(source.new) == source.repo.load_commit(source.new)


def test_two_runs_give_the_same_bytes(source: Source) -> None:
    """However the work was spread over processors."""
    generate(source.repo, source.name)
    first = source.files()

    generate(source.repo, source.name)

    assert source.files() == first


def test_what_is_patched_and_what_is_not(source: Source) -> None:
    generate(source.repo, source.name)

    superblock = storage.load_superblock(source.repo, source.name)

    (part,) = part_statistics(source.repo, superblock)
    # The program by bsdiff; the table by pieces of the old one; the secret may not be read by all.
    assert part.counts[0x42] == 1
    assert part.counts[0x6F] == 2
    assert part.counts[0x53] == 6
    assert superblock.parts[0].count == 8


def test_large_files_become_fallbacks_with_their_stored_size(source: Source) -> None:
    generate(source.repo, source.name, DeltaOptions(min_fallback_size=1))

    superblock = storage.load_superblock(source.repo, source.name)

    (fallback,) = superblock.fallbacks
    assert fallback.plain_size == 1_100_000
    assert fallback.size == source.repo.stored_size(fallback.checksum, ObjectType.FILE)
    with pytest.raises(OSTreeError, match="contains nonempty http fallback entries"):
        apply_offline(source.repo, f"{source.repo.path}/{source.name.directory}")


def test_with_little_memory_files_are_stored_as_they_are(source: Source) -> None:
    generate(source.repo, source.name, DeltaOptions(max_memory=1_000_000))

    superblock = storage.load_superblock(source.repo, source.name)

    (part,) = part_statistics(source.repo, superblock)
    assert (part.counts[0x42], part.counts[0x6F]) == (0, 0)


def test_what_is_told_meanwhile(source: Source) -> None:
    events: list[Event] = []

    generate(source.repo, source.name, on_event=events.append)

    steps = [event for event in events if isinstance(event, StepProgress)]
    assert [step.done for step in steps] == list(range(1, 9))
    assert {step.total for step in steps} == {8}
    lines = [event.text for event in events if isinstance(event, Message)]
    assert lines[:2] == ["modified: 3", "new reachable: metadata=3 content regular=5 symlink=1"]
    assert lines[-1] == "bsdiff=1 objects"


def test_a_smaller_delta_leaves_no_parts_of_the_larger_one(source: Source) -> None:
    generate(source.repo, source.name, DeltaOptions(max_chunk_size=0))
    assert len(source.files()) == 9

    generate(source.repo, source.name)

    assert sorted(source.files()) == ["0", "superblock"]


def test_a_part_that_is_done_holds_no_memory(source: Source) -> None:
    """Its compressor takes hundreds of megabytes, which must not wait for a garbage collection."""
    gc.collect()
    gc.disable()
    try:
        generate(source.repo, source.name, DeltaOptions(max_chunk_size=0))
        left = [object for object in gc.get_objects() if isinstance(object, Compressor)]
    finally:
        gc.enable()

    assert left == []


def test_into_a_file_with_its_parts_beside_it(tmp_path: Path, source: Source) -> None:
    (tmp_path / "out").mkdir()

    generate(source.repo, source.name, filename=str(tmp_path / "out" / "some.delta"))

    assert sorted(os.listdir(tmp_path / "out")) == ["0", "some.delta"]
    assert list(storage.names(source.repo)) == []
    with taker(source, tmp_path / "taker") as repo:
        apply_offline(repo, tmp_path / "out" / "some.delta")
        assert repo.has_object(source.new, ObjectType.COMMIT)


def test_modes_of_the_files(source: Source) -> None:
    generate(source.repo, source.name)

    directory = f"{source.repo.path}/{source.name.directory}"
    assert os.stat(directory).st_mode & 0o777 == 0o755
    assert {os.stat(f"{directory}/{name}").st_mode & 0o777 for name in os.listdir(directory)} == {
        0o644
    }


def test_a_failure_leaves_what_was_there(tmp_path: Path, source: Source) -> None:
    generate(source.repo, source.name)
    before = source.files()
    (video,) = [
        checksum
        for checksum in source.repo.store.objects_of(ObjectType.FILE)
        if source.repo.load_file_header(checksum)[1] == 1_100_000
    ]
    path = source.repo.store.path(video, ObjectType.FILE)
    os.rename(f"{source.repo.path}/objects/{path}", tmp_path / "aside")

    with pytest.raises(ObjectNotFoundError):
        generate(source.repo, source.name)

    assert source.files() == before
    assert not [name for name in os.listdir(f"{source.repo.path}/tmp") if "delta" in name]


def test_trees_are_read_once_for_several_deltas(source: Source) -> None:
    trees = Trees(source.repo)

    generate(source.repo, source.name, trees=trees)
    generate(source.repo, DeltaName(None, source.new), trees=trees)

    assert trees.of(source.new) is trees.of(source.new)
    assert set(storage.names(source.repo)) == {source.name, DeltaName(None, source.new)}


def test_shares_of_the_full_download(source: Source) -> None:
    generate(source.repo, source.name)
    generate(source.repo, DeltaName(None, source.new))

    found = {share.name: share for share in shares(source.repo, storage.names(source.repo))}

    scratch, direct = found[DeltaName(None, source.new)], found[source.name]
    assert scratch.full_size == direct.full_size
    assert scratch.percent is not None
    assert direct.percent is not None
    assert 90 < scratch.percent < 110
    assert direct.percent < scratch.percent
    files = source.files()
    assert direct.size == sum(map(len, files.values()))


def test_an_inline_part_is_not_counted_twice(source: Source) -> None:
    generate(source.repo, source.name, DeltaOptions(inline=True))

    (share,) = shares(source.repo, [source.name])

    assert share.size == len(source.files()["superblock"])


def test_indexes_follow_the_deltas(source: Source) -> None:
    generate(source.repo, source.name)

    reindex(source.repo)
    assert list(targets(source.repo)) == [source.new]
    assert source.repo.config.keyfile.find_string("core", "indexed-deltas") == "true"

    storage.delete(source.repo, source.name)
    reindex(source.repo, only=source.old)
    assert list(targets(source.repo)) == [source.new]
    reindex(source.repo)
    assert list(targets(source.repo)) == []


class TestOffline:
    """Application from files, which anybody may have made."""

    @pytest.fixture
    def delta(self, tmp_path: Path, source: Source) -> Path:
        (tmp_path / "delta").mkdir()
        generate(source.repo, source.name, filename=str(tmp_path / "delta" / "superblock"))
        return tmp_path / "delta"

    @pytest.fixture
    def repo(self, tmp_path: Path, source: Source) -> Iterator[Repo]:
        with taker(source, tmp_path / "taker") as repo:
            yield repo

    def refuse(self, repo: Repo, delta: Path, source: Source, message: str) -> None:
        with pytest.raises(OSTreeError, match=message):
            apply_offline(repo, delta)
        with repo.transaction():
            pass  # what was left staged is published now
        assert not repo.has_object(source.new, ObjectType.COMMIT)
        assert not repo.fsck().corrupted

    def test_again_it_does_nothing(self, repo: Repo, delta: Path, source: Source) -> None:
        apply_offline(repo, delta)
        (delta / "0").unlink()

        apply_offline(repo, delta)

        assert repo.has_object(source.new, ObjectType.COMMIT)

    def test_without_the_old_commit(self, tmp_path: Path, delta: Path, source: Source) -> None:
        with Repo.create(tmp_path / "empty", "bare-user") as repo:
            message = f"Commit {source.old}, which is the delta source, is not in repository"
            self.refuse(repo, delta, source, message)

    def test_a_part_that_is_missing(self, repo: Repo, delta: Path, source: Source) -> None:
        (delta / "0").unlink()

        message = "^Opening deltapart '0': No such file or directory"
        self.refuse(repo, delta, source, message)

    def test_a_part_that_was_changed(self, repo: Repo, delta: Path, source: Source) -> None:
        data = bytearray((delta / "0").read_bytes())
        data[-50] ^= 1
        (delta / "0").write_bytes(data)
        actual = sha256(data).hexdigest()

        message = f"Executing delta part 0: Checksum mismatch in static delta part; .*{actual}"
        self.refuse(repo, delta, source, message)

    def test_a_version_of_the_future(self, repo: Repo, delta: Path, source: Source) -> None:
        self.rewrite(delta, lambda superblock: setattr(superblock.parts[0], "version", 1))

        self.refuse(repo, delta, source, "Delta part has too new version 1")

    def test_a_delta_that_leaves_something_out(
        self, repo: Repo, delta: Path, source: Source
    ) -> None:
        """A commit must not appear without what it needs."""
        self.rewrite(delta, lambda superblock: superblock.parts.clear())

        self.refuse(repo, delta, source, "is missing after the static delta was applied")

    def test_another_commit_than_announced(self, repo: Repo, delta: Path, source: Source) -> None:
        other = source.repo.load_metadata(source.old, ObjectType.COMMIT)
        self.rewrite(delta, lambda superblock: setattr(superblock, "commit", other))

        self.refuse(repo, delta, source, "Corrupted commit object")

    @staticmethod
    def rewrite(delta: Path, change: object) -> None:
        assert callable(change)
        superblock = superblock_format.decode((delta / "superblock").read_bytes())
        change(superblock)
        (delta / "superblock").write_bytes(superblock_format.encode(superblock))
