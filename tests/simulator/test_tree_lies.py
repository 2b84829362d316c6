"""Directories and their metadata that are what their checksums say, and yet not acceptable."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError
from ostree.formats import commit as commit_format
from ostree.formats import dirmeta, dirtree, gvariant
from ostree.repo.repository import Repo
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from ostree.types import Checksum, DirMeta, TreeId
from simulator.lying_server import LyingServer

if TYPE_CHECKING:
    from pathlib import Path

TREE = "(a(say)a(sayay))"
GOOD_DIRMETA = dirmeta.encode(DirMeta(0, 0, 0o40755))
SUM = bytes(32)


def files(*names: str, digest: bytes = SUM) -> bytes:
    """A dirtree with files of these names, in this order."""
    return gvariant.encode(TREE, ([(name, digest) for name in names], []))


def directories(*names: str) -> bytes:
    """The same with directories."""
    return gvariant.encode(TREE, ([], [(name, SUM, SUM) for name in names]))


TREES = {
    "up": files(".."),
    "here": files("."),
    "empty": files(""),
    "slash": files("a/b"),
    "absolute": files("/etc"),
    "directory up": directories(".."),
    "directory with slash": directories("a/b"),
    "empty directory": directories(""),
    "not UTF-8": dirtree.encode_raw([(b"\xff", SUM)], []),
    "NUL": dirtree.encode_raw([(b"a\0b", SUM)], []),
    "short checksum": files("a", digest=bytes(31)),
    "no checksum": files("a", digest=b""),
    "cut off": files("a", "b")[:-3],
    "noise": b"\xff" * 100,
    "nothing": b"",
}
METAS = {
    "a file": gvariant.encode("(uuua(ayay))", (0, 0, gvariant.byteswap("u", 0o100644), [])),
    "no mode": gvariant.encode("(uuua(ayay))", (0, 0, 0, [])),
    "high bits": gvariant.encode("(uuua(ayay))", (0, 0, 0xFFFFFFFF, [])),
    "cut off": GOOD_DIRMETA[:-1],
    "too long": GOOD_DIRMETA + b"\0",
    "nothing": b"",
}


def refused(tmp_path: Path, tree: bytes, meta: bytes) -> str:
    """Serve a commit of a root directory; how the pull of it is refused."""
    objects = tmp_path / "web" / "objects"

    def put(data: bytes, extension: str) -> Checksum:
        checksum = Checksum(hashlib.sha256(data).hexdigest())
        path = objects / checksum[:2] / f"{checksum[2:]}.{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return checksum

    objects.mkdir(parents=True)
    (tmp_path / "web/config").write_text("[core]\nrepo_version=1\nmode=archive-z2\n")
    root = TreeId(put(tree, "dirtree"), put(meta, "dirmeta"))
    name = put(commit_format.encode(commit_format.Commit(root, timestamp=0)), "commit")
    with (
        LyingServer(tmp_path / "web") as server,
        Repo.create(tmp_path / "repo", "bare-user") as repo,
    ):
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])

        with pytest.raises(CorruptionError) as caught:
            pull(repo, "origin", [f"main@{name}"], PullOptions(network_retries=0))

        assert repo.refs.all() == {}
        assert not repo.fsck().corrupted
    assert sorted(os.listdir(tmp_path)) == ["repo", "web"]
    return str(caught.value)


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_directories(tmp_path: Path, tree: bytes) -> None:
    message = refused(tmp_path, tree, GOOD_DIRMETA)

    assert message.startswith(f"{hashlib.sha256(tree).hexdigest()}.dirtree: ")


@pytest.mark.parametrize("meta", METAS.values(), ids=METAS)
def test_directory_metadata(tmp_path: Path, meta: bytes) -> None:
    message = refused(tmp_path, files(), meta)

    assert message.startswith(f"{hashlib.sha256(meta).hexdigest()}.dirmeta: ")
