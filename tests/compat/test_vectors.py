"""Tree T: the same commits as in the format's vectors, and the same repositories on the disk."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from ostree.formats.gvariant import Variant
from ostree.repo.hashing import checksum_loaded
from ostree.repo.modifier import Modifier
from ostree.repo.repository import Repo
from ostree.types import Checksum, ObjectType
from support.vectors import (
    BINDINGS,
    BODY,
    COMMIT,
    COMMIT_BARE_USER_ONLY,
    CONTENT,
    CONTENT_CHECKSUM,
    IS_ROOT,
    METADATA,
    MIXED_METADATA,
    SUBJECT,
    TIMESTAMP,
    WITH_COLLECTION,
    WITH_MIXED_METADATA,
    WITH_PARENT,
    make_tree,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

MODES = ["bare", "archive", "bare-user", "bare-user-only"]
# Vectors belong to root.
AS_ROOT = Modifier() if IS_ROOT else Modifier(owner_uid=0, owner_gid=0)
OWNER_OPTIONS = [] if IS_ROOT else ["--owner-uid=0", "--owner-gid=0"]
usable_modes = [mode for mode in MODES if IS_ROOT or mode != "bare"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "tree")


def first_commit(repo: Repo, tree: Path) -> Checksum:
    with repo.transaction(fsync=False) as txn:
        checksum = txn.commit(
            txn.import_directory(tree, modifier=AS_ROOT),
            subject=SUBJECT,
            body=BODY,
            metadata=BINDINGS,
            timestamp=TIMESTAMP,
        )
        txn.set_ref("test/branch", checksum)
    return checksum


def plain_commit(
    repo: Repo,
    tree: Path,
    modifier: Modifier = AS_ROOT,
    *,
    metadata: list[tuple[str, Variant]] | None = None,
    timestamp: int = 0,
    parent: Checksum | None = None,
    subject: str = "",
) -> Checksum:
    with repo.transaction(fsync=False) as txn:
        return txn.commit(
            txn.import_directory(tree, modifier=modifier),
            metadata=metadata or [],
            timestamp=timestamp,
            parent=parent,
            subject=subject,
        )


@pytest.mark.parametrize("mode", usable_modes)
def test_the_first_commit(tmp_path: Path, tree: Path, mode: str) -> None:
    with Repo.create(tmp_path / "repo", mode) as repo:
        checksum = first_commit(repo, tree)

        assert checksum == (COMMIT_BARE_USER_ONLY if mode == "bare-user-only" else COMMIT)
        if mode != "bare-user-only":
            assert repo.load_commit(checksum).content_checksum == CONTENT_CHECKSUM
            for (name, extension), data in METADATA.items():
                type = ObjectType[extension.upper()]
                assert repo.load_metadata(name, type) == data
            assert set(repo.store.objects_of(ObjectType.FILE)) == set(CONTENT)
        else:
            assert {
                "5fe77ed38ae7e9ae587aa705987843c697379b65c9c5af012fd8040fbc6df9c3",
            } <= set(repo.store.objects_of(ObjectType.FILE))
            assert {
                "bbad9bb6bd9d7da45d1cc8cc61305e044e74bcc0711468c673e2f9a73b2c4fd2",
                "6c349ef5da0d2d71a7f2402e1da7372dbd21e8cc5af2046ec94db3bfdd6aa3d4",
            } <= set(repo.store.objects_of(ObjectType.DIRTREE))


def test_more_commits(tmp_path: Path, tree: Path) -> None:
    with Repo.create(tmp_path / "repo", "archive") as repo:
        parent = first_commit(repo, tree)
        second = plain_commit(
            repo,
            tree,
            metadata=BINDINGS[1:],
            timestamp=TIMESTAMP + 1,
            parent=parent,
            subject="Second",
        )
        collection = plain_commit(
            repo,
            tree,
            metadata=[
                ("ostree.ref-binding", Variant("as", ["alpha", "main", "zeta"])),
                ("ostree.collection-binding", Variant("s", "org.example.Os")),
            ],
            timestamp=1,
        )
        mixed = plain_commit(repo, tree, metadata=MIXED_METADATA)

        assert second == "de20e2181d1aae7094225290c71dfa30b74342223bf322e55a312df41b3c1c64"
        assert repo.load_metadata(second, ObjectType.COMMIT) == WITH_PARENT
        assert collection == "878fe1acbd05cc51603c2a183927a0d63e543801824a6344c8affaa540336851"
        assert repo.load_metadata(collection, ObjectType.COMMIT) == WITH_COLLECTION
        assert mixed == "9068a7e92f9b0cea1d586675c028712947d46f2912a28baa7395c1ae8bf0e89e"
        assert repo.load_metadata(mixed, ObjectType.COMMIT) == WITH_MIXED_METADATA


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("options", "modifier", "checksum"),
    [
        ([], AS_ROOT, "636cd8ff25e6bd08b6bed8781d3258f39c7290637286434824563429ff53b764"),
        (
            ["--canonical-permissions"],
            Modifier(canonical_permissions=True),
            "dffc447240973edda7a124c06729f3477d7314d720446a868494574ff06d2321",
        ),
        (
            ["--no-xattrs"],
            Modifier(no_xattrs=True, owner_uid=AS_ROOT.owner_uid, owner_gid=AS_ROOT.owner_gid),
            "dffc447240973edda7a124c06729f3477d7314d720446a868494574ff06d2321",
        ),
        (
            ["--owner-uid=1000", "--owner-gid=1001"],
            Modifier(owner_uid=1000, owner_gid=1001),
            "8e9aea164c06d3b0af1ae0413650c6a27c09971ae0857c683d8e4eb786601525",
        ),
        (
            ["--mode-ro-executables"],
            Modifier(ro_executables=True, owner_uid=AS_ROOT.owner_uid, owner_gid=AS_ROOT.owner_gid),
            "e81b5c022c1b478e126ef02734c9636f53b18db1f5021a65cf75b6a2a04837a3",
        ),
    ],
)
def test_commits_with_modifiers(
    tmp_path: Path,
    tree: Path,
    oracle: Oracle,
    options: list[str],
    modifier: Modifier,
    checksum: str,
) -> None:
    theirs = tmp_path / "theirs"
    oracle("init", f"--repo={theirs}", "--mode=archive")
    owner = OWNER_OPTIONS if not any("owner" in item or "canon" in item for item in options) else []
    printed = oracle(
        f"--repo={theirs}",
        "commit",
        "--orphan",
        "--no-bindings",
        "--timestamp=@0",
        *options,
        *owner,
        f"--tree=dir={tree}",
    ).stdout.strip()
    with Repo.create(tmp_path / "ours", "archive") as repo:
        ours = plain_commit(repo, tree, modifier)

    assert ours == checksum == printed


def describe(path: Path, name: str) -> tuple[object, ...]:
    """All of an object's file that the format has an opinion on."""
    info = path.lstat()
    attributes = {
        key: os.getxattr(path, key, follow_symlinks=False)
        for key in os.listxattr(path, follow_symlinks=False)
    }
    if stat.S_ISLNK(info.st_mode):
        return (info.st_mode, info.st_uid, info.st_gid, attributes, os.readlink(path))
    content: object = None if name.endswith("z") else path.read_bytes()
    epoch = info.st_mtime_ns == 0
    return (info.st_mode, info.st_uid, info.st_gid, attributes, content, epoch)


@pytest.mark.oracle
@pytest.mark.parametrize("mode", usable_modes)
def test_repositories_are_the_same_on_the_disk(
    tmp_path: Path, tree: Path, oracle: Oracle, mode: str
) -> None:
    """Modes, owners, times, attributes and content of every object; of archives unpacked."""
    (tree / "suid").write_bytes(b"suid")
    (tree / "suid").chmod(0o4755 if mode != "bare-user-only" else 0o775)
    (tree / "secret").write_bytes(b"secret")
    (tree / "secret").chmod(0 if IS_ROOT else 0o400)
    (tree / "writable").write_bytes(b"writable")
    (tree / "writable").chmod(0o666 if mode != "bare-user-only" else 0o664)
    theirs = tmp_path / "theirs"
    oracle("init", f"--repo={theirs}", f"--mode={mode}")
    printed = oracle(
        f"--repo={theirs}",
        "commit",
        "--branch=test/branch",
        f"--subject={SUBJECT}",
        f"--body={BODY}",
        f"--timestamp=@{TIMESTAMP}",
        "--add-metadata-string=version=1.0",
        *OWNER_OPTIONS,
        f"--tree=dir={tree}",
    ).stdout.strip()
    with Repo.create(tmp_path / "ours", mode) as repo:
        assert first_commit(repo, tree) == printed
    ours = tmp_path / "ours"

    names = sorted(str(path.relative_to(ours)) for path in ours.rglob("objects/*/*"))
    assert names == sorted(str(path.relative_to(theirs)) for path in theirs.rglob("objects/*/*"))
    for name in names:
        assert describe(ours / name, name) == describe(theirs / name, name), name
    if mode == "archive":
        with Repo.open(ours) as one, Repo.open(theirs) as two:
            for checksum in one.store.objects_of(ObjectType.FILE):
                for repo in (one, two):
                    with repo.load_content(checksum) as content:
                        assert checksum_loaded(content) == checksum
    for directory in ("objects", "refs/heads", "state", "tmp", "."):
        assert (ours / directory).stat().st_mode == (theirs / directory).stat().st_mode
    for file in ("config", "refs/heads/test/branch"):
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()
        assert (ours / file).stat().st_mode == (theirs / file).stat().st_mode
    oracle(f"--repo={ours}", "fsck", "-q")
    with Repo.open(theirs) as repo:
        assert not repo.fsck().corrupted
