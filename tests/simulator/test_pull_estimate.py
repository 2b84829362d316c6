"""``pull --dry-run``: it says what the pull then moves, and changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError, TrustError
from ostree.formats.delta.name import DeltaName
from ostree.formats.gvariant import Variant
from ostree.repo.commit_sizes import with_sizes
from ostree.repo.repository import Repo
from ostree.repo.static_delta.generate import generate
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from simulator.lying_server import Content, LyingServer, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.transfer.options import PullResult
    from ostree.transfer.survey import PullEstimate


def publish(source: Path, tree: Path) -> None:
    """Another commit on ``main``, which tells the sizes of its objects."""
    with Repo.open(source) as repo, repo.transaction(exact_sizes=True) as transaction:
        root = transaction.import_directory(tree)
        metadata = with_sizes(repo, root, [("ostree.ref-binding", Variant("as", ["main"]))])
        parent = repo.refs.get("main")
        checksum = transaction.commit(root, parent=parent, metadata=metadata, timestamp=1)
        transaction.set_ref("main", checksum)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LyingServer]:
    """Serves two commits on ``main``; there is no summary."""
    tree = tmp_path / "tree"
    for number in range(12):
        (tree / f"dir{number % 4}/deep").mkdir(parents=True, exist_ok=True)
        (tree / f"dir{number % 4}/deep/file{number}").write_bytes(b"%d" % number * 1000)
    Repo.create(tmp_path / "source", "archive").close()
    publish(tmp_path / "source", tree)
    (tree / "dir0/deep/file0").write_bytes(b"changed")
    publish(tmp_path / "source", tree)
    with LyingServer(tmp_path / "source") as running:
        yield running


@pytest.fixture
def device(tmp_path: Path, server: LyingServer) -> Iterator[Repo]:
    """A repository with the remotes ``origin``, the server, and ``disk``, its directory."""
    with Repo.create(tmp_path / "device", "bare-user") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        where = f"file://{tmp_path / 'source'}"
        repo.remotes.add("disk", [("url", where), ("gpg-verify", "false")])
        yield repo


def snapshot(path: Path) -> dict[str, str]:
    """All files of a repository but its lock."""
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.rglob("*")
        if file.is_file() and file.name != ".lock"
    }


def estimated(repo: Repo, remote: str, ref: str, **options: object) -> PullEstimate:
    before = snapshot(Path(repo.path))
    result = pull(repo, remote, [ref], PullOptions(dry_run=True, **options))  # type: ignore[arg-type]
    assert snapshot(Path(repo.path)) == before
    assert result.commits.keys() == {ref}
    assert result.estimate is not None
    return result.estimate


def come(repo: Repo, remote: str, **options: object) -> PullResult:
    """Pull; where deltas are used requests that found none are counted too, as upstream does."""
    plain = PullOptions(disable_static_deltas=True, **options)  # type: ignore[arg-type]
    return pull(repo, remote, ["main"], plain)


def assert_kept(estimate: PullEstimate, result: PullResult) -> None:
    """The pull moved what was said."""
    assert estimate.metadata == result.metadata
    assert estimate.content == result.content
    assert estimate.cached_metadata == result.cached_metadata
    assert estimate.cached_content == result.cached_content
    assert estimate.content_unknown == 0
    if not result.local:
        assert estimate.metadata_size + estimate.content_size == result.bytes_transferred


@pytest.mark.parametrize("remote", ["origin", "disk"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"depth": -1},
        {"commit_metadata_only": True},
        {"subpaths": ["/dir1", "/dir2/deep/file6"]},
    ],
    ids=["all", "history", "commit", "parts"],
)
def test_what_is_said_is_what_comes(device: Repo, remote: str, options: dict[str, object]) -> None:
    estimate = estimated(device, remote, "main", **options)

    result = come(device, remote, **options)

    assert estimate.metadata > 0
    assert_kept(estimate, result)


@pytest.mark.parametrize("remote", ["origin", "disk"])
def test_an_update_is_what_has_changed(
    device: Repo, server: LyingServer, tmp_path: Path, remote: str
) -> None:
    pull(device, remote, ["main"])
    assert_nothing(estimated(device, remote, "main"))
    (tmp_path / "tree/new").write_bytes(b"new")
    publish(tmp_path / "source", tmp_path / "tree")

    estimate = estimated(device, remote, "main")

    assert (estimate.metadata, estimate.content) == (2, 1)
    assert_kept(estimate, come(device, remote))


def assert_nothing(estimate: PullEstimate) -> None:
    assert (estimate.metadata, estimate.content, estimate.content_size) == (0, 0, 0)


def test_repositories_at_hand(device: Repo, server: LyingServer, tmp_path: Path) -> None:
    with Repo.create(tmp_path / "cache", "archive") as cache:
        cache.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        pull(cache, "origin", ["main"], PullOptions(subpaths=["/dir1"]))
    caches = [str(tmp_path / "cache")]

    estimate = estimated(device, "origin", "main", localcache_repos=caches)

    assert estimate.cached_content == 3
    assert_kept(estimate, come(device, "origin", localcache_repos=caches))


def test_objects_of_an_interrupted_pull_are_there(
    device: Repo, server: LyingServer, tmp_path: Path
) -> None:
    """They are counted as such, and stay where they are for the next pull."""
    server.lie("/objects/*.filez", Status(404), times=1)
    with pytest.raises(Exception, match="404"):
        pull(device, "origin", ["main"])
    assert any("staging" in name for name in snapshot(tmp_path / "device"))

    estimate = estimated(device, "origin", "main")

    assert estimate.metadata < 11
    assert_kept(estimate, come(device, "origin"))


def test_sizes_that_nobody_tells(device: Repo, server: LyingServer, tmp_path: Path) -> None:
    with Repo.open(tmp_path / "source") as source, source.transaction() as transaction:
        root = source.load_commit(source.resolve("main")).root
        plain = transaction.commit(root, timestamp=1)
        garbled = transaction.commit(
            root, timestamp=1, metadata=[("ostree.sizes", Variant("aay", [b"x" * 33]))]
        )

    for commit in (plain, garbled):
        estimate = estimated(device, "origin", commit)

        assert estimate.content == estimate.content_unknown == 12
        assert estimate.content_size == 0


def test_what_a_pull_would_refuse(device: Repo, server: LyingServer, tmp_path: Path) -> None:
    with Repo.open(tmp_path / "source") as source:
        root = source.load_commit(source.resolve("main")).root
        other = source.resolve("main")
    server.lie(f"/objects/{root.dirtree[:2]}/{root.dirtree[2:]}.dirtree", Content(b"lie"), times=1)
    before = snapshot(tmp_path / "device")

    with pytest.raises(CorruptionError, match=r"^Corrupted dirtree object"):
        pull(device, "origin", ["main"], PullOptions(dry_run=True))
    with pytest.raises(TrustError, match="no requested ref"):
        pull(device, "origin", [f"other@{other}"], PullOptions(dry_run=True))

    assert snapshot(tmp_path / "device") == before


def test_a_delta_is_counted_by_its_parts(device: Repo, server: LyingServer, tmp_path: Path) -> None:
    with Repo.open(tmp_path / "source") as source:
        generate(source, DeltaName(None, source.resolve("main")), None)

    estimate = estimated(device, "origin", "main")

    assert estimate.deltas is not None
    assert estimate.deltas.parts > 0
    assert (estimate.metadata, estimate.content) == (0, 0)
    result = pull(device, "origin", ["main"])
    assert result.content == 0
