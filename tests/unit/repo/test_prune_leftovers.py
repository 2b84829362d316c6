"""What a prune removes besides objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.formats.delta.name import DeltaName, index_path
from ostree.repo.prune import PruneRequest, carry_out
from ostree.repo.prune_leftovers import prune_deltas, prune_summary_cache
from ostree.repo.prune_roots import Keep
from ostree.repo.repository import Repo
from ostree.types import Checksum

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GONE = Checksum("1" * 64)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    """A repository with a line of two commits."""
    (tmp_path / "tree").mkdir()
    with Repo.create(tmp_path / "repo", "archive") as opened:
        for number in range(2):
            with opened.transaction(fsync=False) as txn:
                root = txn.import_directory(tmp_path / "tree")
                parent = opened.refs.get("main")
                txn.set_ref("main", txn.commit(root, parent=parent, timestamp=number))
        yield opened


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"something")
    return path


def put_delta(repo: Repo, name: DeltaName, tmp_path: Path) -> list[Path]:
    """Its files and its index."""
    base = tmp_path / "repo"
    paths = (name.superblock, name.part(0), index_path(name.target))
    return [put(base / path) for path in paths]


def test_deltas_to_nowhere_go_with_their_indexes(repo: Repo, tmp_path: Path) -> None:
    head = repo.resolve("main")
    stays = put_delta(repo, DeltaName(GONE, head), tmp_path)
    goes = put_delta(repo, DeltaName(head, GONE), tmp_path)

    told = prune_deltas(repo, dry_run=True)
    assert all(path.exists() for path in goes)
    deleted = prune_deltas(repo)

    assert told == deleted == [f"{head}-{GONE}"]
    assert all(path.exists() for path in stays)
    assert not any(path.exists() for path in goes)
    assert not goes[0].parent.exists()


def test_what_is_left_of_a_delta_that_was_being_deleted_goes(repo: Repo, tmp_path: Path) -> None:
    superblock, part, _ = put_delta(repo, DeltaName(None, GONE), tmp_path)
    superblock.unlink()

    prune_deltas(repo)

    assert not part.parent.exists()


def test_names_that_are_of_no_delta_are_left_alone(repo: Repo, tmp_path: Path) -> None:
    others = [
        put(tmp_path / "repo" / path)
        for path in ("deltas/file", "deltas/ab/short/superblock", "delta-indexes/ab/foo.index")
    ]

    assert prune_deltas(repo) == []

    assert all(path.exists() for path in others)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_delta_goes_in_the_same_run_as_its_commit(
    repo: Repo, tmp_path: Path, dry_run: bool
) -> None:
    old = repo.resolve("main^")
    superblock, *_ = put_delta(repo, DeltaName(None, old), tmp_path)

    result = carry_out(repo, PruneRequest(Keep(depth=0), dry_run=dry_run))

    assert result.commits == (old,)
    assert result.static_deltas == (old,)
    assert superblock.exists() == dry_run


def test_deltas_to_a_commit_go_and_the_commit_stays(repo: Repo, tmp_path: Path) -> None:
    """Although a ref points to it; nor is the configuration changed."""
    head = repo.resolve("main")
    superblock, *_ = put_delta(repo, DeltaName(None, head), tmp_path)

    result = carry_out(repo, PruneRequest(Keep(), delete_commit=head, static_deltas_only=True))

    assert result.static_deltas == (head,)
    assert not superblock.exists()
    assert repo.resolve("main") == head
    assert not repo.config.tombstones


def test_summaries_of_remotes_that_are_gone_go(repo: Repo, tmp_path: Path) -> None:
    repo.remotes.add("kept", [("url", "http://127.0.0.1/")])
    cache = tmp_path / "repo/tmp/cache/summaries"
    for name in ("kept", "kept.sig", "gone", "gone.sig"):
        put(cache / name)

    prune_summary_cache(repo)

    assert sorted(path.name for path in cache.iterdir()) == ["kept", "kept.sig"]
