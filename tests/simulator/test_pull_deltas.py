"""Pulls by static delta from a server, which may lie: what is chosen, asked for and stored."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ostree.errors import (
    ChecksumError,
    CorruptionError,
    FormatError,
    OSTreeError,
    TooLargeError,
    TrustError,
)
from ostree.events import Message, PullProgress
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.name import DeltaName
from ostree.repo import summary
from ostree.repo.repository import Repo
from ostree.repo.static_delta import generate as generating
from ostree.repo.static_delta import storage
from ostree.repo.static_delta.payload_file import most_plain
from ostree.repo.static_delta.plan import DeltaOptions
from ostree.system.workers import WorkerPool, _Outcome
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from ostree.transfer.pull_local import pull_local
from simulator.lying_server import Content, LyingServer, Status, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ostree.transfer.options import PullResult
    from ostree.types import Checksum

REQUIRED = PullOptions(require_static_deltas=True, network_retries=0)
PLAIN = PullOptions(network_retries=0)


class Vendor:
    """A repository whose commits differ by a few bytes in a large file."""

    def __init__(self, path: Path) -> None:
        self.tree = path / "tree"
        (self.tree / "sub").mkdir(parents=True)
        self.repo = Repo.create(path / "source", "archive")
        self.program = bytearray(random.Random(1).randbytes(80_000))
        self.commits: list[Checksum] = []

    def release(self) -> Checksum:
        """The next commit of ``main``."""
        number = len(self.commits)
        self.program[0] ^= 1
        self.program[1000 * number + 500] ^= 1
        (self.tree / "program").write_bytes(self.program)
        (self.tree / "sub" / "notes").write_text(f"release {number}\n" * 50)
        with self.repo.transaction() as transaction:
            root = transaction.import_directory(self.tree)
            parent = self.repo.refs.get("main")
            commit = transaction.commit(root, parent=parent, timestamp=number)
            transaction.set_ref("main", commit)
        self.commits.append(commit)
        return commit

    def delta(self, source: int | None, target: int, options: DeltaOptions | None = None) -> str:
        """Make a delta between two releases; the directory of its files, as in a URL."""
        old = None if source is None else self.commits[source]
        name = DeltaName(old, self.commits[target])
        generating.generate(self.repo, name, options)
        return f"/{name.directory}"

    def publish(self) -> None:
        summary.regenerate(self.repo)


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Vendor]:
    """Three releases, without deltas."""
    vendor = Vendor(tmp_path)
    for _ in range(3):
        vendor.release()
    yield vendor
    vendor.repo.close()


@pytest.fixture
def server(vendor: Vendor) -> Iterator[LyingServer]:
    with LyingServer(vendor.repo.path) as server:
        yield server


@pytest.fixture
def device(tmp_path: Path, vendor: Vendor, server: LyingServer) -> Iterator[Repo]:
    """A repository that knows the server, and has the first release as ``origin:main``."""
    with Repo.create(tmp_path / "device", "bare-user") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        first = PullOptions(override_remote_name="origin")
        pull_local(repo, vendor.repo.path, [f"main@{vendor.commits[0]}"], first)
        yield repo


def update(device: Repo, options: PullOptions = REQUIRED) -> PullResult:
    return pull(device, "origin", ["main"], options)


def assert_complete(device: Repo, vendor: Vendor) -> None:
    assert device.refs.get("origin:main") == vendor.commits[-1]
    assert not device.is_partial(vendor.commits[-1])
    assert not device.fsck().corrupted


def test_what_is_found_missing_at_the_very_end_is_fetched(
    vendor: Vendor, device: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However soon a worker is done with the last part: here it is before anybody looks."""

    def run_at_once(pool: WorkerPool, job: Callable[[], Callable[[], None] | None]) -> None:
        pool.pending += 1
        pool._outcomes.put(_Outcome(job(), None))
        if pool._on_finish is not None:
            pool._on_finish()

    vendor.program += random.Random(3).randbytes(1_100_000)
    new = vendor.release()
    vendor.delta(0, 3, DeltaOptions(min_fallback_size=1))
    vendor.publish()
    monkeypatch.setattr(WorkerPool, "submit", run_at_once)

    pull_local(device, vendor.repo.path, [str(new)], REQUIRED)

    device.refs.set("origin:main", new)
    assert_complete(device, vendor)


def test_an_update_is_one_part_and_no_objects(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    delta = vendor.delta(0, 2)
    vendor.publish()

    result = update(device)

    assert_complete(device, vendor)
    assert (result.delta_parts, result.content) == (1, 0)
    assert f"{delta}/0" in server.paths()
    assert [path for path in server.paths() if path.startswith("/objects")] == [
        f"/objects/{vendor.commits[2][:2]}/{vendor.commits[2][2:]}.commitmeta"
    ]


def test_nothing_that_a_delta_has_brought_is_asked_for(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    """Metadata neither: directories of another mode, of which one is there twice."""
    for path in ("a/private", "b/private"):
        directory = vendor.tree / path
        directory.mkdir(mode=0o700, parents=True)
        (directory / "notes").write_text("private")
    commit = vendor.release()
    vendor.delta(0, 3)
    vendor.publish()

    update(device)

    assert_complete(device, vendor)
    assert [path for path in server.paths() if path.startswith("/objects")] == [
        f"/objects/{commit[:2]}/{commit[2:]}.commitmeta"
    ]


def test_without_being_required_a_delta_is_preferred(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    vendor.delta(0, 2)
    vendor.publish()

    assert update(device, PLAIN).delta_parts == 1

    assert_complete(device, vendor)


def test_disabled_means_that_nothing_is_asked(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    vendor.delta(0, 2)
    vendor.publish()

    update(device, PullOptions(disable_static_deltas=True))

    assert_complete(device, vendor)
    assert not [path for path in server.paths() if path.startswith("/delta")]


def test_inline_parts_need_no_requests(vendor: Vendor, server: LyingServer, device: Repo) -> None:
    delta = vendor.delta(0, 2, DeltaOptions(inline=True))
    vendor.publish()

    result = update(device)

    assert_complete(device, vendor)
    assert result.delta_parts == 0
    assert [path for path in server.paths() if path.startswith(delta)] == [f"{delta}/superblock"]


def test_many_parts_and_big_endian(vendor: Vendor, server: LyingServer, device: Repo) -> None:
    vendor.delta(0, 2, DeltaOptions(max_chunk_size=0, endianness="B"))
    vendor.publish()

    assert update(device).delta_parts == 4

    assert_complete(device, vendor)


def test_parts_are_counted_while_they_come(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    vendor.delta(0, 2, DeltaOptions(max_chunk_size=0))
    vendor.publish()
    events: list[PullProgress] = []

    pull(
        device,
        "origin",
        ["main"],
        PullOptions(update_interval=0),
        lambda event: events.append(event) if isinstance(event, PullProgress) else None,
    )

    last = events[-1]
    assert (last.fetched_delta_parts, last.requested_delta_parts) == (4, 4)
    assert last.delta_bytes == last.requested_delta_bytes > 0
    assert [event.delta_bytes for event in events] == sorted(event.delta_bytes for event in events)


def test_fallbacks_are_fetched_as_objects(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    (vendor.tree / "video").write_bytes(random.Random(2).randbytes(1_200_000))
    vendor.release()
    vendor.delta(0, 3, DeltaOptions(min_fallback_size=1))
    vendor.publish()

    result = update(device)

    assert_complete(device, vendor)
    assert (result.delta_parts, result.content) == (1, 1)


def test_from_scratch_into_an_empty_repository(
    vendor: Vendor, server: LyingServer, tmp_path: Path
) -> None:
    vendor.delta(None, 2)
    vendor.publish()
    with Repo.create(tmp_path / "new", "bare-user-only") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])

        result = update(repo)

        assert_complete(repo, vendor)
        assert (result.delta_parts, result.content) == (1, 0)


def test_from_scratch_is_not_for_who_has_the_ref(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    vendor.delta(None, 2)
    vendor.publish()

    with pytest.raises(OSTreeError, match="Static deltas required, but none found for main to"):
        update(device)

    assert update(device, PLAIN).delta_parts == 0


def test_a_chain_of_two_where_there_is_no_direct_one(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    """0 to 1 and 1 to 2, although 1 was never here; nothing of 1 but objects is left."""
    vendor.delta(0, 1)
    vendor.delta(1, 2)
    vendor.publish()

    result = update(device)

    assert_complete(device, vendor)
    assert (result.delta_parts, result.content) == (2, 0)
    assert list(device.commits()) == sorted([vendor.commits[0], vendor.commits[2]])


def test_a_direct_delta_is_preferred_to_a_chain(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    for source, target in ((0, 1), (1, 2), (0, 2)):
        vendor.delta(source, target)
    vendor.publish()

    assert update(device).delta_parts == 1


def test_the_summary_lists_what_has_no_index(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    """Old servers have a list in the summary, and no indexes."""
    vendor.delta(0, 1)
    vendor.delta(1, 2)
    vendor.publish()
    data = (vendor.repo.path + "/summary").encode()
    with open(data, "rb") as file:
        listed = file.read()
    hidden = listed.replace(b"ostree.summary.indexed-deltas", b"ostree.summary.indexed-nothin")
    server.lie("/summary", Content(hidden))

    assert update(device).delta_parts == 2

    assert_complete(device, vendor)
    assert not [path for path in server.paths() if path.startswith("/delta-indexes")]


def test_without_any_list_the_likely_delta_is_asked_for(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    delta = vendor.delta(0, 2)
    server.lie("/summary", Status(404))
    server.lie("/summary.sig", Status(404))

    assert update(device, PLAIN).delta_parts == 1

    assert_complete(device, vendor)
    assert f"{delta}/superblock" in server.paths()


def test_no_more_is_received_than_was_requested(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    """Superblocks that were looked for in vain and detached metadata belong to both numbers."""
    with vendor.repo.transaction() as transaction:
        transaction.write_detached(vendor.commits[-1], b"")
    events: list[PullProgress] = []

    result = pull(
        device,
        "origin",
        ["main"],
        PullOptions(update_interval=0, network_retries=0),
        lambda event: events.append(event) if isinstance(event, PullProgress) else None,
    )

    assert result.delta_parts == 0
    assert all(event.fetched_metadata <= event.requested_metadata for event in events)
    assert events[-1].fetched_metadata == events[-1].requested_metadata == result.metadata


def test_a_dry_run_says_what_would_come_and_changes_nothing(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    vendor.delta(0, 2)
    vendor.publish()
    options = PullOptions(require_static_deltas=True, dry_run=True)

    result = update(device, options)

    assert result.estimate is not None
    estimate = result.estimate.deltas
    assert estimate is not None
    name = DeltaName(vendor.commits[0], vendor.commits[2])
    part = storage.load_superblock(vendor.repo, name).parts[0]
    assert (estimate.parts, estimate.size) == (1, part.size)
    assert estimate.plain_size == part.plain_size
    assert device.refs.get("origin:main") == vendor.commits[0]
    assert list(device.commits()) == [vendor.commits[0]]


def test_without_bsdiff_objects_are_fetched_and_that_is_said(
    vendor: Vendor, server: LyingServer, device: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.delta(0, 2)
    vendor.publish()
    monkeypatch.setitem(__import__("sys").modules, "bsdiff4", None)
    said: list[str] = []

    result = pull(
        device,
        "origin",
        ["main"],
        PLAIN,
        lambda event: said.append(event.text) if isinstance(event, Message) else None,
    )

    assert_complete(device, vendor)
    assert result.content > 0
    assert len(said) == 1
    assert "bsdiff4" in said[0]


def test_an_archive_cannot_be_made_of_deltas(
    vendor: Vendor, server: LyingServer, tmp_path: Path
) -> None:
    with Repo.create(tmp_path / "mirror", "archive") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])

        with pytest.raises(OSTreeError, match="Can't use static deltas in an archive repo"):
            update(repo)

    assert server.requests == []


class TestLies:
    """After each the device is what it was, and the honest server makes up for it."""

    @pytest.fixture(autouse=True)
    def delta(self, vendor: Vendor) -> str:
        delta = vendor.delta(0, 2)
        vendor.publish()
        return delta

    def refused(
        self, kind: type[OSTreeError], text: str, vendor: Vendor, server: LyingServer, device: Repo
    ) -> None:
        with pytest.raises(kind, match=text):
            update(device)
        assert device.refs.get("origin:main") == vendor.commits[0]
        assert vendor.commits[2] not in device.commits()
        assert not device.fsck().corrupted
        server.be_honest()
        update(device, PLAIN)
        assert_complete(device, vendor)

    def test_another_superblock(
        self, vendor: Vendor, server: LyingServer, device: Repo, delta: str
    ) -> None:
        server.lie(f"{delta}/superblock", Content(b"not a superblock"))

        self.refused(ChecksumError, "Invalid checksum for static delta", vendor, server, device)

    def test_a_part_that_was_tampered_with(
        self, vendor: Vendor, server: LyingServer, device: Repo, delta: str
    ) -> None:
        with open(f"{vendor.repo.path}{delta}/0", "rb") as file:
            part = bytearray(file.read())
        part[-100] ^= 1
        server.lie(f"{delta}/0", Content(bytes(part)))

        text = "Checksum mismatch in static delta part"
        self.refused(ChecksumError, text, vendor, server, device)

    def test_a_part_that_is_larger_than_announced(
        self, vendor: Vendor, server: LyingServer, device: Repo, delta: str
    ) -> None:
        server.lie(f"{delta}/0", Content(bytes(1 << 20)))

        self.refused(TooLargeError, "exceeded maximum size", vendor, server, device)

    @pytest.mark.parametrize("beyond", [2, 1 << 60])
    def test_a_part_that_is_announced_larger_than_it_can_be(
        self, vendor: Vendor, server: LyingServer, device: Repo, delta: str, beyond: int
    ) -> None:
        """The superblock is the one that the server lists; the disk is not to be filled for it."""
        name = DeltaName(vendor.commits[0], vendor.commits[2])
        lying = storage.load_superblock(vendor.repo, name)
        lying.parts[0].size = most_plain(lying.parts[0]) + beyond
        with open(f"{vendor.repo.path}{delta}/superblock", "wb") as file:
            file.write(superblock_format.encode(lying))
        vendor.publish()

        with pytest.raises(FormatError, match="larger than its objects can make it"):
            update(device)

        assert f"{delta}/superblock" in server.paths()
        assert f"{delta}/0" not in server.paths()
        assert device.refs.get("origin:main") == vendor.commits[0]
        assert not device.fsck().corrupted

    def test_a_part_that_is_missing(
        self, vendor: Vendor, server: LyingServer, device: Repo, delta: str
    ) -> None:
        server.lie(f"{delta}/0", Status(404))

        self.refused(OSTreeError, "404", vendor, server, device)

    def test_a_part_that_is_cut_off(
        self, vendor: Vendor, server: LyingServer, device: Repo, delta: str
    ) -> None:
        server.lie(f"{delta}/0", Truncated(50))

        self.refused(OSTreeError, f"{delta[:10]}.*/0", vendor, server, device)

    def test_an_index_that_is_none(self, vendor: Vendor, server: LyingServer, device: Repo) -> None:
        server.lie("/delta-indexes/*", Content(b"garbage"))

        self.refused(CorruptionError, "Not normal form", vendor, server, device)

    def test_a_commit_that_is_older_is_refused_before_parts_are_fetched(
        self, vendor: Vendor, server: LyingServer, device: Repo, delta: str
    ) -> None:
        options = PullOptions(require_static_deltas=True, timestamp_check_from_rev="newer")
        with device.transaction() as transaction:
            root = device.load_commit(vendor.commits[0]).root
            transaction.set_ref("newer", transaction.commit(root, timestamp=99))

        with pytest.raises(TrustError, match="chronologically older"):
            update(device, options)

        assert f"{delta}/0" not in server.paths()


def test_what_a_delta_leaves_out_is_fetched(
    vendor: Vendor, server: LyingServer, device: Repo
) -> None:
    """A delta may not leave a commit that counts as complete and is not."""
    delta = vendor.delta(0, 2)
    name = DeltaName(vendor.commits[0], vendor.commits[2])
    superblock = storage.load_superblock(vendor.repo, name)
    superblock.parts.clear()
    with open(f"{vendor.repo.path}{delta}/superblock", "wb") as file:
        file.write(superblock_format.encode(superblock))
    vendor.publish()

    result = update(device)

    assert_complete(device, vendor)
    assert result.delta_parts == 0
    assert result.content > 0


def test_a_part_that_brings_a_commit_leaves_it_marked_partial(
    vendor: Vendor, device: Repo, tmp_path: Path
) -> None:
    """Nothing tells whether what it needs comes along."""
    from hashlib import sha256

    from ostree.formats.delta import operation, part
    from ostree.formats.delta.superblock import PartHeader
    from ostree.repo.static_delta.execute import run_part
    from ostree.types import ObjectType

    data = vendor.repo.load_metadata(vendor.commits[1], ObjectType.COMMIT)
    code = operation.encode(operation.OPEN_SPLICE_AND_CLOSE, len(data), 0)
    file = b"\0" + part.encode(part.Payload([], [], data, code))
    objects = bytes((ObjectType.COMMIT,)) + vendor.commits[1].digest
    header = PartHeader(sha256(file).digest(), len(file), len(data), objects)

    with device.transaction() as transaction:
        run_part(device, transaction, header, file)

    assert device.has_object(vendor.commits[1], ObjectType.COMMIT)
    assert device.is_partial(vendor.commits[1])
