"""Random archives become the same commits as the reference makes of them."""

from __future__ import annotations

import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostree.errors import OSTreeError
from ostree.repo.archive_import import ArchiveImport
from ostree.repo.archive_paths import parse_pathname_filter, relative_path, split_path
from ostree.repo.modifier import Modifier
from ostree.repo.mutable_tree import MutableTree
from ostree.repo.repository import Repo
from ostree.system import archive
from ostree.system.archive import ArchiveReader
from support.archives import ROOT, archives, tar

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.archives import Entry

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        not archive.is_available(), reason="libarchive is missing (Debian: libarchive13)"
    ),
]

EXAMPLES = int(os.environ.get("PYOSTREE_RANDOM_TREES", "100"))
MODES = ["archive", "bare-user", "bare-user-only"]
CANONICAL = ["--canonical-permissions"]
OWNER = ["--owner-uid=7", "--owner-gid=8"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, oracle: Oracle) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("archives")
    for mode in MODES:
        for whose in ("our", "their"):
            repo = f"--repo={base / f'{whose}-{mode}'}"
            oracle("init", repo, f"--mode={mode}")
            oracle(repo, "config", "set", "core.fsync", "false")
    yield base
    for mode in MODES:
        oracle(f"--repo={base / f'our-{mode}'}", "fsck", "-q")
    shutil.rmtree(base)


def commit_ours(
    place: Path, mode: str, modifier: Modifier, filter: str | None, *, autocreate: bool
) -> str:
    rename = parse_pathname_filter(filter) if filter is not None else None
    tree = MutableTree()
    with Repo.open(place / f"our-{mode}") as repo:
        try:
            with (
                repo.transaction(fsync=False) as txn,
                ArchiveReader(str(place / "a.tar")) as reader,
            ):
                ArchiveImport(
                    repo,
                    txn,
                    tree,
                    modifier.for_repository(repo.mode),
                    autocreate_parents=autocreate,
                    pathname_filter=rename,
                ).run(reader)
                commit = txn.commit(tree.write(txn), timestamp=0)
                txn.set_ref("main", commit)
        except OSTreeError as error:
            return f"error: {error}"
    return commit


def depends_on_a_hash(entries: list[Entry], filter: str | None) -> bool:
    """Whether the reference enters hard links in an order that matters: that of their targets' hashes.

    Of two that have one name the last one wins there, and one that leads to another one may get
    what that had before (ADR 13).
    """

    def path(stored: str) -> tuple[str, ...]:
        relative = relative_path(stored)
        return tuple(
            split_path(relative if filter is None else parse_pathname_filter(filter)(relative))
        )

    links: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for entry in entries:
        if entry.type == tarfile.LNKTYPE:
            links.setdefault(path(entry.name), set()).add(path(entry.target))
    return any(
        len(targets) > 1 or any(target in links for target in targets - {name})
        for name, targets in links.items()
    )


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    entries=archives,
    mode=st.sampled_from(MODES),
    options=st.sampled_from([[], CANONICAL, OWNER, ["--no-xattrs"]]),
    filter=st.sampled_from([None, "^a/,x/", "(b)/,\\1\\1/", "f$,f2"]),
    autocreate=st.booleans(),
)
def test_random_archives(
    place: Path,
    oracle: Oracle,
    entries: list[Entry],
    mode: str,
    options: list[str],
    filter: str | None,
    *,
    autocreate: bool,
) -> None:
    """Same commit or same message; only where the reference crashes we say why we refuse."""
    (place / "a.tar").write_bytes(tar(*entries) if autocreate else tar(ROOT, *entries))
    modifier = Modifier(
        owner_uid=7 if options == OWNER else None,
        owner_gid=8 if options == OWNER else None,
        canonical_permissions=options == CANONICAL,
        no_xattrs="--no-xattrs" in options,
    )

    ours = commit_ours(place, mode, modifier, filter, autocreate=autocreate)

    theirs = oracle(
        f"--repo={place / f'their-{mode}'}",
        "commit",
        "--branch=main",
        "--parent=none",
        "--no-bindings",
        "--timestamp=@0",
        *options,
        *([] if filter is None else [f"--tar-pathname-filter={filter}"]),
        *(["--tar-autocreate-parents"] if autocreate else []),
        f"--tree=tar={place / 'a.tar'}",
        check=False,
    )
    if theirs.returncode < 0:
        assert ours.startswith("error: ")
    elif theirs.returncode == 0 and depends_on_a_hash(entries, filter):
        assert "deferred hardlink" in ours or not ours.startswith("error: ")
    elif theirs.returncode == 0:
        assert ours == theirs.stdout.strip()
    elif "deferred hardlink" in theirs.stderr:
        # It resolves links in the order of a hash table: others may come first, and chains fail.
        assert "deferred hardlink" in ours or not ours.startswith("error: ")
    else:
        assert f"{ours}\n" == theirs.stderr
