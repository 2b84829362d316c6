"""Committed trees as mappings: lazy, exact about links, clear about what is not there."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from ostree.errors import (
    CorruptionError,
    NotFoundError,
    ObjectNotFoundError,
    PathNotFoundError,
    RepoError,
)
from ostree.formats import dirmeta, dirtree
from ostree.repo.repository import Repo
from ostree.store.content import MemoryContent
from ostree.types import DirMeta, FileHeader, ObjectType, TreeId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.repo.transaction import Transaction
    from ostree.repo.tree_view import Tree
    from ostree.types import Checksum

NOTE = ((b"user.note", b"\x01"),)


@pytest.fixture(params=["archive", "bare-user"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repo]:
    """``main``: /bin -> usr/bin, /etc/{motd,release -> ../usr/release}, /usr/{release,bin/sh,empty}."""
    with Repo.create(tmp_path / "repo", request.param) as repo:
        with repo.transaction(fsync=False) as txn:
            txn.set_ref("main", txn.commit(build(txn), timestamp=0))
        yield repo


def build(txn: Transaction) -> TreeId:
    shell = file(txn, b"#!", mode=0o100755)
    release = file(txn, "NAME=ä\n".encode(), xattrs=NOTE)
    usr = directory(
        txn,
        files={"release": release, "loop": link(txn, "loop"), "root": link(txn, "/")},
        dirs={"bin": directory(txn, files={"sh": shell}), "empty": directory(txn)},
    )
    etc = directory(
        txn, files={"motd": file(txn, b""), "release": link(txn, "../usr/release")}, mode=0o040700
    )
    out = link(txn, "../../../usr/release")
    return directory(
        txn,
        files={"bin": link(txn, "usr/bin"), "out": out, "gone": link(txn, "nowhere")},
        dirs={"etc": etc, "usr": usr},
    )


def file(
    txn: Transaction,
    data: bytes,
    *,
    mode: int = 0o100644,
    xattrs: tuple[tuple[bytes, bytes], ...] = (),
) -> Checksum:
    with MemoryContent(FileHeader(1, 2, mode, xattrs=xattrs), data) as content:
        return txn.write_content(content)


def link(txn: Transaction, target: str) -> Checksum:
    with MemoryContent(FileHeader(0, 0, 0o120777, target), b"") as content:
        return txn.write_content(content)


def directory(
    txn: Transaction,
    *,
    files: dict[str, Checksum] | None = None,
    dirs: dict[str, TreeId] | None = None,
    mode: int = 0o040755,
) -> TreeId:
    meta = txn.write_metadata(ObjectType.DIRMETA, dirmeta.encode(DirMeta(3, 4, mode)))
    entries = [(name, tree.dirtree, tree.dirmeta) for name, tree in (dirs or {}).items()]
    data = dirtree.encode(dirtree.DirTree(list((files or {}).items()), entries))
    return TreeId(txn.write_metadata(ObjectType.DIRTREE, data), meta)


@pytest.fixture
def root(repo: Repo) -> Tree:
    return repo.tree("main")


def test_a_directory_is_a_mapping(root: Tree) -> None:
    """Files first, then directories, each sorted."""
    assert list(root) == ["bin", "gone", "out", "etc", "usr"]
    assert len(root) == 5
    assert "etc" in root
    assert "etc/motd" in root
    assert "nope" not in root
    assert [name for name, entry in root.items() if entry.is_directory] == ["etc", "usr"]
    assert root.get("nope") is None


def test_keys_may_be_paths(root: Tree) -> None:
    shell = root["usr/bin/sh"]

    assert (shell.path, shell.name) == ("/usr/bin/sh", "sh")
    assert root["usr"]["bin"]["sh"] == shell
    assert root["/usr//bin/sh"] == shell
    assert (root[""].path, root[""].name) == ("/", "")


def test_a_file(root: Tree) -> None:
    release = root["usr/release"]

    assert (release.is_file, release.is_directory, release.is_symlink) == (True, False, False)
    assert stat.S_IMODE(release.mode) == 0o644
    assert (release.uid, release.gid) == (1, 2)
    assert release.xattrs == NOTE
    assert release.size == 8
    assert release.target == ""
    assert release.checksum is not None
    assert release.tree_id is None
    assert release.read_bytes() == "NAME=ä\n".encode()
    assert release.read_text() == "NAME=ä\n"
    assert release.read_text("latin-1") == "NAME=Ã¤\n"


def test_a_link(root: Tree) -> None:
    bin = root["bin"]

    assert (bin.is_symlink, bin.is_file, bin.is_directory) == (True, False, False)
    assert (bin.target, bin.size) == ("usr/bin", 0)


def test_a_directory(root: Tree) -> None:
    etc = root["etc"]

    assert (etc.is_directory, etc.is_file, etc.is_symlink) == (True, False, False)
    assert (stat.S_IMODE(etc.mode), etc.uid, etc.gid, etc.xattrs) == (0o700, 3, 4, ())
    assert (etc.size, etc.target, etc.checksum) == (0, "", None)
    assert etc.tree_id is not None


def test_everything_below(root: Tree) -> None:
    paths = [entry.path for entry in root.walk()]

    assert paths == [
        "/bin",
        "/gone",
        "/out",
        "/etc",
        "/etc/motd",
        "/etc/release",
        "/usr",
        "/usr/loop",
        "/usr/release",
        "/usr/root",
        "/usr/bin",
        "/usr/bin/sh",
        "/usr/empty",
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nope", "No such file or directory: /nope"),
        ("usr/nope/x", "No such file or directory: /usr/nope"),
        ("usr/..", "No such file or directory: /usr/.."),
        ("etc/motd/x", "Not a directory: /etc/motd"),
        ("bin/sh", "Not a directory: /bin"),
    ],
)
def test_what_is_not_there(root: Tree, path: str, message: str) -> None:
    """Links are not followed; a missing path is a KeyError and an error of ours."""
    with pytest.raises(PathNotFoundError) as caught:
        root[path]

    assert str(caught.value) == message
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, NotFoundError)
    assert path not in root


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("bin", "/usr/bin"),
        ("bin/sh", "/usr/bin/sh"),
        ("etc/release", "/usr/release"),
        ("out", "/usr/release"),
        ("usr/root/bin/../release", "/usr/release"),
        ("..", "/"),
        ("./etc/.", "/etc"),
        ("/etc/motd", "/etc/motd"),
    ],
)
def test_links_are_followed_on_demand(root: Tree, path: str, leads_to: str) -> None:
    """Within the commit: nothing leads out of it."""
    assert root.resolve(path).path == leads_to


def test_links_are_followed_from_where_one_is(root: Tree) -> None:
    assert root["etc/release"].resolve().path == "/usr/release"
    assert root["etc"].resolve("../bin/sh").path == "/usr/bin/sh"
    assert root["bin"].resolve("sh").path == "/usr/bin/sh"
    assert root["usr/bin"].resolve("/bin").path == "/usr/bin"
    assert root["etc"].resolve().path == "/etc"


def test_links_that_lead_nowhere(root: Tree) -> None:
    with pytest.raises(PathNotFoundError, match=r"^No such file or directory: /nowhere$"):
        root.resolve("gone")
    with pytest.raises(RepoError, match=r"^Too many levels of symbolic links: /usr/loop$"):
        root["usr/loop"].resolve()
    with pytest.raises(PathNotFoundError, match=r"^Not a directory: /etc/motd$"):
        root["etc/motd"].resolve("x")


@pytest.mark.parametrize(
    ("path", "message"), [("usr", "Is a directory: /usr"), ("bin", "Is a symbolic link: /bin")]
)
def test_only_files_have_content(root: Tree, path: str, message: str) -> None:
    for read in (root[path].read_bytes, root[path].read_text, root[path].open):
        with pytest.raises(RepoError) as caught:
            read()
        assert str(caught.value) == message


def test_only_directories_have_entries(root: Tree) -> None:
    motd = root["etc/motd"]

    for look in (lambda: list(motd), lambda: len(motd), lambda: list(motd.walk())):
        with pytest.raises(PathNotFoundError, match=r"^Not a directory: /etc/motd$"):
            look()
    assert "x" not in motd


def test_large_content_is_streamed(repo: Repo) -> None:
    """Beyond what is held in memory, in pieces of any size."""
    data = os.urandom(1 << 20) * 9
    with repo.transaction(fsync=False) as txn:
        tree = directory(txn, files={"big": file(txn, data)})
        txn.set_ref("big", txn.commit(tree, timestamp=0))

    with repo.tree("big")["big"].open() as stream:
        pieces = [stream.read(3), stream.read(1 << 20), stream.read()]

    assert b"".join(pieces) == data
    assert list(map(len, pieces[:2])) == [3, 1 << 20]
    assert repo.tree("big")["big"].read_bytes() == data
    assert stream.closed


def test_lines_of_a_stream(root: Tree) -> None:
    with root["usr/release"].open() as stream:
        assert stream.readable()
        assert not stream.seekable()
        assert list(stream) == ["NAME=ä\n".encode()]


def test_equal_means_equal_content(repo: Repo, root: Tree) -> None:
    """Wherever it is: checksums tell."""
    with repo.transaction(fsync=False) as txn:
        again = directory(txn, files={"sh": file(txn, b"#!", mode=0o100755)})
        txn.set_ref("other", txn.commit(directory(txn, dirs={"b": again}), timestamp=1))
    other = repo.tree("other")

    assert other["b"] == root["usr/bin"]
    assert hash(other["b"]) == hash(root["usr/bin"])
    assert other["b/sh"] == root["usr/bin/sh"]
    assert other != root
    assert root["etc/motd"] != root["usr/release"]
    assert root != "tree"


def test_all_are_true(root: Tree) -> None:
    """Else ``if tree.get(path)`` would overlook files and empty directories."""
    assert all(root[path] for path in ("etc/motd", "usr/empty", "bin"))
    assert len(root["usr/empty"]) == 0


def test_nothing_is_read_before_it_is_asked_for(repo: Repo) -> None:
    root = repo.tree("main")
    usr, etc = root["usr"], root["etc"]
    for entry, type in ((usr, ObjectType.DIRTREE), (etc, ObjectType.DIRMETA)):
        assert entry.tree_id is not None
        ids = {ObjectType.DIRTREE: entry.tree_id.dirtree, ObjectType.DIRMETA: entry.tree_id.dirmeta}
        os.unlink(repo.store.path(ids[type], type), dir_fd=repo.store.objects.fd)

    assert "usr" in repo.tree("main")
    assert stat.S_IMODE(usr.mode) == 0o755
    assert etc["motd"].size == 0
    with pytest.raises(ObjectNotFoundError):
        len(usr)
    with pytest.raises(ObjectNotFoundError):
        _ = etc.mode


def test_damaged_content_is_an_error(repo: Repo, root: Tree) -> None:
    checksum = root["usr/bin/sh"].checksum
    assert checksum is not None
    path = repo.store.path(checksum, ObjectType.FILE)
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC, dir_fd=repo.store.objects.fd)
    os.write(fd, b"" if path.endswith(".file") else b"\0\0\0\x1a\0\0\0\0")
    os.close(fd)
    if path.endswith(".file"):
        assert root["usr/bin/sh"].read_bytes() == b""  # content is not verified
        return

    with pytest.raises(CorruptionError):
        root["usr/bin/sh"].read_bytes()


@pytest.mark.parametrize("key", [1, b"usr", None])
def test_keys_are_text(root: Tree, key: object) -> None:
    with pytest.raises(TypeError, match=r"^a path within a tree is a str, not "):
        root[key]  # type: ignore[index]


def test_the_root_of_what_does_not_exist(repo: Repo) -> None:
    with pytest.raises(NotFoundError, match=r"^Refspec 'nope' not found$"):
        repo.tree("nope")


def test_it_says_what_it_is(root: Tree) -> None:
    assert repr(root["usr/bin"]) == "<Tree '/usr/bin'>"
