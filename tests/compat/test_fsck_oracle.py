"""What is wrong with a repository: we and the reference say the same on standard error."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.events import Event, Message
from ostree.formats import commit as commit_format
from ostree.formats.gvariant import encode
from ostree.repo.modifier import Modifier
from ostree.repo.repository import Repo
from ostree.types import Checksum, ObjectType, TreeId
from support.vectors import (
    BIG,
    BIN_TREE,
    COMMIT,
    HELLO,
    META_0700,
    META_0755,
    TIMESTAMP,
    make_tree,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.oracle

EVIL = encode("(a(say)a(sayay))", ([("../evil", HELLO.digest)], []))


@pytest.fixture(scope="module", params=["bare-user", "archive"])
def good(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with nothing wrong."""
    base = tmp_path_factory.mktemp("fsck")
    make_tree(base / "tree")
    with Repo.create(base / "repo", request.param) as repo, repo.transaction(fsync=False) as txn:
        root = txn.import_directory(base / "tree", modifier=Modifier(owner_uid=0, owner_gid=0))
        txn.set_ref("main", txn.commit(root, timestamp=TIMESTAMP))
    return base / "repo"


def damage(repo: Repo, kind: str) -> None:
    head = repo.resolve("main")
    what, _, how = kind.partition(" ")
    checksum, type = {
        "file": (HELLO, ObjectType.FILE),
        "big": (BIG, ObjectType.FILE),
        "dirtree": (BIN_TREE, ObjectType.DIRTREE),
        "dirmeta": (META_0700, ObjectType.DIRMETA),
        "commit": (head, ObjectType.COMMIT),
        "ref": (head, ObjectType.COMMIT),
        "evil": (head, ObjectType.COMMIT),
    }[what]
    path = os.path.join(repo.path, "objects", repo.store.path(checksum, type))
    if what == "ref":
        with open(os.path.join(repo.path, "refs/heads/main"), "w") as file:
            file.write(f"{COMMIT if how == 'missing' else how}\n")
    elif what == "evil":
        tree = Checksum.of_digest(hashlib.sha256(EVIL).digest())
        repo.store.put_metadata(tree, ObjectType.DIRTREE, EVIL)
        with repo.transaction(fsync=False) as txn:
            txn.set_ref("main", txn.commit(TreeId(tree, META_0755), timestamp=1))
    elif how == "missing":
        os.unlink(path)
    elif what == "commit":
        value = commit_format.decode(repo.load_metadata(checksum, type))
        value.timestamp += 1
        with open(path, "wb") as file:
            file.write(commit_format.encode(value))
    elif how == "emptied":
        os.truncate(path, 0)
    elif how == "longer":
        with open(path, "ab") as file:
            file.write(b"x")
    else:
        os.truncate(path, os.path.getsize(path) - 1)


def verdict(path: Path, **options: bool) -> list[str]:
    """What we say, as the command prints it."""
    events: list[Event] = []
    with Repo.open(path) as repo:
        try:
            result = repo.fsck(on_event=events.append, **options)
        except OSTreeError as error:
            last = [f"error: {error}"]
        else:
            last = ["error: Repository corruption encountered"] if result.corrupted else []
    said = [event.text for event in events if isinstance(event, Message) and event.warning]
    return said + last


@pytest.mark.parametrize("option", ["", "--all", "--delete"])
@pytest.mark.parametrize(
    "kind",
    [
        "file missing",
        "big missing",
        "dirtree missing",
        "dirtree emptied",
        "dirmeta missing",
        "dirmeta shorter",
        "dirmeta longer",
        "commit missing",
        "commit changed",
        "ref missing",
        "ref garbage",
        "evil",
    ],
)
def test_damage_is_told_alike(
    good: Path, tmp_path: Path, oracle: Oracle, kind: str, option: str
) -> None:
    with Repo.open(shutil.copytree(good, tmp_path / "ours", symlinks=True)) as repo:
        damage(repo, kind)
    shutil.copytree(tmp_path / "ours", tmp_path / "theirs", symlinks=True)

    theirs = oracle(
        f"--repo={tmp_path / 'theirs'}", "fsck", *([option] if option else []), check=False
    )
    ours = verdict(tmp_path / "ours", keep_going=option == "--all", delete=option == "--delete")

    assert ours == theirs.stderr.splitlines()
    assert bool(ours) == bool(theirs.returncode)


@pytest.mark.parametrize("how", ["longer", "changed"])
def test_damaged_content_is_told_alike(
    good: Path, tmp_path: Path, oracle: Oracle, how: str
) -> None:
    """Plain files only: how a deflate stream is damaged is each library's own story."""
    with Repo.open(good) as repo:
        if repo.mode.value == "archive":
            return
    shutil.copytree(good, tmp_path / "repo", symlinks=True)
    with Repo.open(tmp_path / "repo") as repo:
        path = os.path.join(repo.path, "objects", repo.store.path(HELLO, ObjectType.FILE))
    with open(path, "ab" if how == "longer" else "r+b") as file:
        file.write(b"x")

    theirs = oracle(f"--repo={tmp_path / 'repo'}", "fsck", check=False).stderr.splitlines()

    assert verdict(tmp_path / "repo") == theirs
