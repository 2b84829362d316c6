"""Summaries and refs from servers that lie: refused by name, nothing moved, nothing outside touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError, FormatError, NotFoundError, OSTreeError, TrustError
from ostree.formats import summary as summary_format
from ostree.formats.gvariant import Variant
from ostree.formats.summary import SummaryRef
from ostree.repo import summary
from ostree.repo.repository import Repo
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from ostree.types import Checksum
from simulator.lying_server import Content, Endless, LyingServer, Redirect, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HASTY = PullOptions(network_retries=0)
MIRROR = PullOptions(network_retries=0, mirror=True)
NOWHERE = Checksum("0" * 64)


def commit(repo: Repo, tree: Path, text: str, *, timestamp: int, refs: list[str]) -> Checksum:
    """A commit of one file, bound to refs, on ``main``."""
    tree.mkdir(exist_ok=True)
    (tree / "file").write_text(text)
    with repo.transaction() as transaction:
        root = transaction.import_directory(tree)
        metadata = [("ostree.ref-binding", Variant("as", refs))]
        checksum = transaction.commit(root, timestamp=timestamp, metadata=metadata)
        transaction.set_ref("main", checksum)
    return checksum


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Repo]:
    """An archive repository with a commit on ``main`` and a summary."""
    with Repo.create(tmp_path / "source", "archive") as repo:
        commit(repo, tmp_path / "tree", "one", timestamp=1000, refs=["main"])
        summary.regenerate(repo)
        yield repo


@pytest.fixture
def server(source: Repo) -> Iterator[LyingServer]:
    with LyingServer(source.path) as running:
        yield running


@pytest.fixture
def device(tmp_path: Path, server: LyingServer) -> Iterator[Repo]:
    """Has pulled the first commit."""
    with Repo.create(tmp_path / "device", "archive") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        pull(repo, "origin", ["main"])
        yield repo


def assert_untouched(device: Repo, source: Repo, tmp_path: Path) -> None:
    """Refs are where they were, the repository is sound, nothing is beside it."""
    assert device.refs.all() == {"origin:main": source.resolve("main")}
    assert device.refs.mirrored() == {}
    assert not device.fsck().corrupted
    assert sorted(os.listdir(tmp_path)) == ["device", "source", "tree"]
    assert not os.path.exists(f"{device.path}/summary")


def lying_summary(
    source: Repo,
    name: str = "main",
    checksum: str | None = None,
    *,
    collection: str | None = None,
    collections: dict[str, list[SummaryRef]] | None = None,
) -> bytes:
    """A summary, in normal form, that says what it likes."""
    ref = SummaryRef(name, Checksum(checksum or source.resolve("main")), 10_000)
    built = summary_format.build(
        [ref],
        mode="archive-z2",
        last_modified=5,
        collection_id=collection,
        collection_map=collections,
    )
    return summary_format.encode(built)


@pytest.mark.parametrize(
    "name", ["../../../escape", "/etc/passwd", "a//b", "", ".hidden", "a b", "x/../../y"]
)
def test_refs_with_names_that_are_none(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path, name: str
) -> None:
    server.lie("/summary", Content(lying_summary(source, name)))

    with pytest.raises(FormatError, match="Invalid ref name"):
        pull(device, "origin", [], MIRROR)

    assert_untouched(device, source, tmp_path)


@pytest.mark.parametrize("collection", ["../../../escape", "no-dots", "a.b/../../c", "..", "/x.y"])
@pytest.mark.parametrize("in_map", [False, True], ids=["own", "map"])
def test_collections_with_ids_that_are_none(
    source: Repo,
    device: Repo,
    server: LyingServer,
    tmp_path: Path,
    collection: str,
    *,
    in_map: bool,
) -> None:
    """They would name a directory."""
    ref = SummaryRef("main", source.resolve("main"), 10_000)
    if in_map:
        lie = lying_summary(source, collections={collection: [ref]})
    else:
        lie = lying_summary(source, collection=collection)
    server.lie("/summary", Content(lie))

    for refs in ([], ["main"]) if not in_map else ([],):
        with pytest.raises(FormatError, match="Invalid collection ID"):
            pull(device, "origin", refs, MIRROR)

    assert_untouched(device, source, tmp_path)


@pytest.mark.parametrize(
    "lie",
    [
        Content(b""),
        Content(b"broken"),
        Content(b"\xff" * 5000),
        Endless(),
        Status(500),
        Redirect("file:///etc/passwd"),
        Redirect("/summary"),
    ],
    ids=["empty", "short", "noise", "endless", "500", "to a file", "in circles"],
)
def test_summaries_that_are_none(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path, lie: Content
) -> None:
    server.lie("/summary", lie)

    with pytest.raises(OSTreeError):
        pull(device, "origin", ["main"], HASTY)

    assert_untouched(device, source, tmp_path)


def test_a_truncated_summary(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path
) -> None:
    data = lying_summary(source)
    for size in range(1, len(data), 17):
        server.lie("/summary", Content(data[:size]))

        with pytest.raises(OSTreeError):
            pull(device, "origin", ["main"], HASTY)

    assert_untouched(device, source, tmp_path)


def test_a_ref_that_leads_to_nothing(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path
) -> None:
    server.lie("/summary", Content(lying_summary(source, checksum=NOWHERE)))

    with pytest.raises(OSTreeError, match="Server returned HTTP 404"):
        pull(device, "origin", ["main"], HASTY)

    assert_untouched(device, source, tmp_path)


def test_a_commit_of_another_ref(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path
) -> None:
    """It says itself which refs it is meant for."""
    before = source.resolve("main")
    other = commit(source, tmp_path / "tree", "two", timestamp=2000, refs=["other"])
    source.refs.set("main", before)
    server.lie("/summary", Content(lying_summary(source, checksum=other)))

    with pytest.raises(TrustError, match="Commit has no requested ref ‘main’"):
        pull(device, "origin", ["main"], HASTY)

    assert_untouched(device, source, tmp_path)


def test_a_commit_of_another_collection(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path
) -> None:
    device.remotes.add(
        "far",
        [("url", server.url), ("gpg-verify", "false"), ("collection-id", "org.example.C")],
    )

    with pytest.raises(TrustError, match="Expected commit metadata to have collection ID"):
        pull(device, "far", ["main"], HASTY)

    assert_untouched(device, source, tmp_path)


def test_an_older_commit(source: Repo, device: Repo, server: LyingServer, tmp_path: Path) -> None:
    before = source.resolve("main")
    older = commit(source, tmp_path / "tree", "zero", timestamp=999, refs=["main"])
    source.refs.set("main", before)
    server.lie("/summary", Content(lying_summary(source, checksum=older)))

    for options in (
        PullOptions(timestamp_check=True),
        PullOptions(timestamp_check_from_rev="origin:main"),
    ):
        with pytest.raises(TrustError, match="chronologically older"):
            pull(device, "origin", ["main"], options)

    assert_untouched(device, source, tmp_path)


@pytest.mark.parametrize(
    "body", [b"", b"zz", b"0" * 63, b"g" * 64, b"\xff" * 64, b"0" * 64 + b" x"]
)
def test_ref_files_that_hold_no_checksum(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path, body: bytes
) -> None:
    server.lie("/summary*", Status(404))
    server.lie("/refs/heads/main", Content(body))

    with pytest.raises(OSTreeError, match=r"Fetching checksum for ref \(\(empty\), main\)"):
        pull(device, "origin", ["main"], HASTY)

    assert_untouched(device, source, tmp_path)


def test_a_ref_that_the_summary_does_not_know(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path
) -> None:
    """The ref's file is not asked where there is a summary."""
    source.refs.set("secret", source.resolve("main"))

    with pytest.raises(NotFoundError, match="No such branch 'secret' in repository summary"):
        pull(device, "origin", ["secret"], HASTY)

    source.refs.set("secret", None)
    assert "/refs/heads/secret" not in server.paths()
    assert_untouched(device, source, tmp_path)


@pytest.mark.parametrize("body", [b"garbage", b"[core]\nmode=bare\n", b"[core]\nmode=\xff\n", b""])
def test_configurations_that_are_none_of_an_archive(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path, body: bytes
) -> None:
    server.lie("/config", Content(body))

    with pytest.raises(OSTreeError):
        pull(device, "origin", ["main"], HASTY)

    assert_untouched(device, source, tmp_path)


def test_a_summary_whose_commit_is_larger_than_it_says(
    source: Repo, device: Repo, server: LyingServer, tmp_path: Path
) -> None:
    commit(source, tmp_path / "tree", "two", timestamp=2000, refs=["main"])
    small = SummaryRef("main", source.resolve("main"), 5)
    built = summary_format.build([small], mode="archive-z2", last_modified=5)
    server.lie("/summary", Content(summary_format.encode(built)))

    with pytest.raises(OSTreeError, match="exceeded maximum size of 5 bytes"):
        pull(device, "origin", ["main"], HASTY)

    assert device.refs.all() != {"origin:main": source.resolve("main")}
    assert not device.fsck().corrupted


def test_errors_are_errors_of_the_data(source: Repo, device: Repo, server: LyingServer) -> None:
    """A program can tell lies from failures."""
    server.lie("/summary", Content(b"broken"))

    with pytest.raises(CorruptionError):
        pull(device, "origin", ["main"], HASTY)
