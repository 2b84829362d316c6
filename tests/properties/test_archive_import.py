"""Whatever bytes an archive has, it becomes a whole commit or is refused with a reason."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostree.errors import OSTreeError
from ostree.repo.archive_import import ArchiveImport
from ostree.repo.modifier import Modifier
from ostree.repo.mutable_tree import MutableTree
from ostree.repo.repository import Repo
from ostree.system import archive
from ostree.system.archive import ArchiveReader
from support.archives import archives, tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.archives import Entry

pytestmark = pytest.mark.skipif(
    not archive.is_available(), reason="libarchive is missing (Debian: libarchive13)"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("fuzz")
    Repo.create(place / "repo", "bare-user").close()
    yield place
    with Repo.open(place / "repo") as repo:
        assert not repo.fsck().corrupted


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An archive with some bytes changed, cut off or repeated."""
    entries: list[Entry] = draw(archives)
    data = bytearray(tar(*entries))
    for _ in range(draw(st.integers(0, 6))):
        # Headers are where it hurts; most of a small archive is padding.
        at = draw(st.integers(0, min(len(data), 6144) - 1))
        piece = draw(st.one_of(st.binary(min_size=1, max_size=12), st.just(b"\xff" * 12)))
        data[at : at + len(piece)] = piece
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return gzip.compress(bytes(data)) if draw(st.booleans()) else bytes(data)


@settings(
    max_examples=400,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=damaged(), autocreate=st.booleans())
def test_damaged_archives(place: Path, data: bytes, *, autocreate: bool) -> None:
    (place / "archive").write_bytes(data)
    tree = MutableTree()
    with Repo.open(place / "repo") as repo:
        try:
            with (
                repo.transaction(fsync=False) as txn,
                ArchiveReader(str(place / "archive")) as reader,
            ):
                ArchiveImport(repo, txn, tree, Modifier(), autocreate_parents=autocreate).run(
                    reader
                )
                commit = txn.commit(tree.write(txn), timestamp=0)
                txn.set_ref("main", commit)
        except OSTreeError as error:
            reason = str(error)
        else:
            reason = "none"

    assert reason
