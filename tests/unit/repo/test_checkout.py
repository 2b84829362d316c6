"""Checkouts: links and copies, owners and modes, and what happens to what is there already."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import ExistsError, NotFoundError, OSTreeError, RepoError
from ostree.formats import dirmeta, dirtree
from ostree.formats.dirtree import DirTree
from ostree.formats.gvariant import encode
from ostree.repo.checkout_cache import UncompressedCache
from ostree.repo.checkout_labels import Labels
from ostree.repo.checkout_options import CheckoutOptions, Existing, parse_skip_list
from ostree.repo.modifier import Modifier
from ostree.repo.repository import Repo
from ostree.system.selinux import Policy
from ostree.types import Checksum, DirMeta, ObjectType, TreeId
from support.policies import make_policy
from support.vectors import (
    BIG,
    BIN_TREE,
    EMPTY,
    EMPTY_TREE,
    HELLO,
    IS_ROOT,
    LINK,
    META_0755,
    RUN,
    make_tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.events import StepProgress
    from ostree.store.content import LoadedContent

MODES = ["bare", "bare-user", "bare-user-only", "archive"]
USER = CheckoutOptions(user_mode=True)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def repo(tmp_path: Path, mode: str) -> Iterator[Repo]:
    """A repository with tree T as ``main``, and a suid, a secret and an empty directory."""
    tree = make_tree(tmp_path / "tree")
    (tree / "suid").write_bytes(b"suid")
    (tree / "suid").chmod(0o6755 if mode != "bare-user-only" else 0o755)
    (tree / "unreadable").write_bytes(b"unreadable")
    (tree / "unreadable").chmod(0 if IS_ROOT else 0o400)
    (tree / "emptydir").chmod(0o2771)
    with Repo.create(tmp_path / "repo", mode) as opened:
        store(opened, tree)
        yield opened


def store(repo: Repo, tree: Path, ref: str = "main") -> Checksum:
    modifier = Modifier(owner_uid=0, owner_gid=0) if repo.mode.value != "bare" else Modifier()
    with repo.transaction(fsync=False) as txn:
        checksum = txn.commit(txn.import_directory(tree, modifier=modifier), timestamp=1)
        txn.set_ref(ref, checksum)
    return checksum


def object_inode(repo: Repo, checksum: Checksum) -> int:
    return os.stat(
        repo.store.path(checksum, ObjectType.FILE),
        dir_fd=repo.store.objects.fd,
        follow_symlinks=False,
    ).st_ino


def names(path: Path) -> list[str]:
    return sorted(os.listdir(path))


# contents, owners, modes ------------------------------------------------------------------------


def test_user_mode_gives_the_files_to_the_user(repo: Repo, tmp_path: Path, mode: str) -> None:
    out = tmp_path / "out"

    repo.checkout("main", out, options=USER)

    assert names(out) == names(tmp_path / "tree")
    assert (out / "hello.txt").read_bytes() == b"hello\n"
    assert (out / "sub/big.txt").read_bytes() == b"A" * 1000
    assert (out / "empty").read_bytes() == b""
    assert os.readlink(out / "link") == "hello.txt"
    assert stat.S_IMODE((out / "suid").stat().st_mode) == 0o755
    assert stat.S_IMODE((out / "unreadable").stat().st_mode) == 0o400
    assert stat.S_IMODE((out / "bin/run.sh").stat().st_mode) == 0o755
    expected = 0o751 if mode == "bare-user-only" else 0o2771
    assert stat.S_IMODE((out / "emptydir").stat().st_mode) == expected
    assert (out / "sub").stat().st_mtime_ns == 0
    attributes = os.listxattr(out / "sub/xa")
    assert attributes == (["user.ostreemeta"] if mode == "bare-user" else [])
    assert all(path.lstat().st_uid == os.geteuid() for path in out.rglob("*"))


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="original owners need root")
@pytest.mark.parametrize("mode", ["bare", "bare-user", "archive"], indirect=True)
def test_owned_mode_gives_back_all_there_was(repo: Repo, tmp_path: Path) -> None:
    os.chown(tmp_path / "tree/bin", 12, 34)
    os.setxattr(tmp_path / "tree/bin", "user.dir", b"v")
    store(repo, tmp_path / "tree")
    out = tmp_path / "out"

    repo.checkout("main", out)

    for path in [tmp_path / "tree", *(tmp_path / "tree").rglob("*")]:
        copy = out / path.relative_to(tmp_path / "tree")
        assert copy.lstat().st_mode == path.lstat().st_mode
        assert {
            name: os.getxattr(copy, name, follow_symlinks=False)
            for name in os.listxattr(copy, follow_symlinks=False)
        } == {
            name: os.getxattr(path, name, follow_symlinks=False)
            for name in os.listxattr(path, follow_symlinks=False)
        }
    if repo.mode.value == "bare":
        assert (out / "bin").stat().st_uid == 12
    else:
        assert (out / "bin").stat().st_uid == 0


@pytest.mark.parametrize(
    ("mode", "options", "linked"),
    [
        ("bare", CheckoutOptions(), True),
        ("bare", USER, False),
        ("bare", CheckoutOptions(force_copy=True), False),
        ("bare-user", USER, True),
        ("bare-user", CheckoutOptions(user_mode=True, force_copy=True), False),
        ("bare-user-only", CheckoutOptions(), True),
        ("bare-user-only", USER, True),
        ("archive", USER, False),
    ],
    indirect=["mode"],
)
def test_what_is_linked(repo: Repo, tmp_path: Path, options: CheckoutOptions, linked: bool) -> None:
    checksum = repo.load_dirtree(repo.load_commit(repo.resolve("main")).root.dirtree)
    files = dict(checksum.files)
    out = tmp_path / "out"

    repo.checkout("main", out, options=options)

    def is_linked(name: str) -> bool:
        return (out / name).lstat().st_ino == object_inode(repo, files[name])

    assert is_linked("hello.txt") is linked
    assert not is_linked("empty")
    assert is_linked("link") is (linked and repo.mode.value == "bare")
    if linked:
        assert (out / "hello.txt").stat().st_mtime_ns == 0
    if options.force_copy:
        assert (out / "sub").stat().st_mtime_ns > 0


@pytest.mark.parametrize("mode", ["bare-user"], indirect=True)
@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="the tree has an unreadable file for root only")
def test_files_their_owner_cannot_read_are_copied(repo: Repo, tmp_path: Path) -> None:
    root = repo.load_dirtree(repo.load_commit(repo.resolve("main")).root.dirtree)
    out = tmp_path / "out"

    repo.checkout("main", out, options=CheckoutOptions(user_mode=True, require_hardlinks=True))

    info = (out / "unreadable").stat()
    assert info.st_ino != object_inode(repo, dict(root.files)["unreadable"])
    assert stat.S_IMODE(info.st_mode) == 0o400


# options that do not go together ----------------------------------------------------------------


@pytest.mark.parametrize("mode", ["bare"], indirect=True)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            CheckoutOptions(require_hardlinks=True, force_copy=True),
            "Cannot specify both --require-hardlinks and --force-copy",
        ),
        (
            CheckoutOptions(existing=Existing.IDENTICAL),
            "--union-identical requires --require-hardlinks",
        ),
    ],
)
def test_contradictions_are_refused(
    repo: Repo, tmp_path: Path, options: CheckoutOptions, message: str
) -> None:
    with pytest.raises(RepoError) as caught:
        repo.checkout("main", tmp_path / "out", options=options)

    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("mode", "user_mode", "message"),
    [
        ("bare-user", False, "User repository mode requires user checkout mode to hardlink"),
        ("bare", True, "Bare repository mode cannot hardlink in user checkout mode"),
        ("archive", True, "Bare repository mode cannot hardlink in user checkout mode"),
        ("archive", False, "Bare repository mode cannot hardlink in user checkout mode"),
    ],
    indirect=["mode"],
)
def test_links_that_cannot_be_are_refused(
    repo: Repo, tmp_path: Path, user_mode: bool, message: str
) -> None:
    options = CheckoutOptions(require_hardlinks=True, user_mode=user_mode)

    with pytest.raises(RepoError) as caught:
        repo.checkout("main", tmp_path / "out", options=options)

    assert str(caught.value) == message


@pytest.mark.parametrize("mode", ["bare-user"], indirect=True)
@pytest.mark.parametrize("number", [errno.EMLINK, errno.EXDEV, errno.EPERM])
def test_a_link_that_fails_is_copied_unless_links_are_required(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    genuine = os.link

    def link(source: str, *arguments: str, **options: object) -> None:
        if source.endswith(".file"):
            raise OSError(number, os.strerror(number))
        genuine(source, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", link)

    repo.checkout("main", tmp_path / "out", options=USER)
    required = CheckoutOptions(user_mode=True, require_hardlinks=True)
    with pytest.raises(RepoError, match=r"^Hardlinking ../.*\.file to .*: ") as caught:
        repo.checkout("main", tmp_path / "out2", options=required)

    assert (tmp_path / "out/hello.txt").read_bytes() == b"hello\n"
    assert str(caught.value).endswith(os.strerror(number))


# what is there already --------------------------------------------------------------------------


def occupied(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub").chmod(0o711)
    (out / "hello.txt").write_bytes(b"mine")
    (out / "empty").write_bytes(b"mine")
    (out / "link").symlink_to("mine")
    (out / "sub/other").write_bytes(b"mine")
    return out


def test_an_existing_destination_is_refused(repo: Repo, tmp_path: Path) -> None:
    out = occupied(tmp_path)

    with pytest.raises(ExistsError) as caught:
        repo.checkout("main", out, options=USER)

    assert str(caught.value) == "mkdirat: File exists"
    assert (out / "hello.txt").read_bytes() == b"mine"
    assert names(out) == ["empty", "hello.txt", "link", "sub"]


def test_union_replaces_files_and_keeps_directories(repo: Repo, tmp_path: Path) -> None:
    out = occupied(tmp_path)

    repo.checkout("main", out, options=CheckoutOptions(user_mode=True, existing=Existing.REPLACE))

    assert names(out) == names(tmp_path / "tree")
    assert (out / "hello.txt").read_bytes() == b"hello\n"
    assert (out / "empty").read_bytes() == b""
    assert os.readlink(out / "link") == "hello.txt"
    assert names(out / "sub") == ["big.txt", "other", "xa"]
    assert stat.S_IMODE((out / "sub").stat().st_mode) == 0o711


def test_union_over_itself_leaves_nothing_else(repo: Repo, tmp_path: Path) -> None:
    options = CheckoutOptions(user_mode=True, existing=Existing.REPLACE)
    for _ in range(2):
        repo.checkout("main", tmp_path / "out", options=options)

    assert names(tmp_path / "out") == names(tmp_path / "tree")


def test_union_add_keeps_what_is_there(repo: Repo, tmp_path: Path) -> None:
    out = occupied(tmp_path)

    repo.checkout("main", out, options=CheckoutOptions(user_mode=True, existing=Existing.KEEP))

    assert names(out) == names(tmp_path / "tree")
    assert (out / "hello.txt").read_bytes() == b"mine"
    assert (out / "empty").read_bytes() == b"mine"
    assert os.readlink(out / "link") == "mine"
    assert (out / "sub/big.txt").read_bytes() == b"A" * 1000


@pytest.mark.parametrize("mode", ["bare-user", "bare-user-only"], indirect=True)
def test_union_identical_wants_the_same(repo: Repo, tmp_path: Path) -> None:
    options = CheckoutOptions(user_mode=True, require_hardlinks=True, existing=Existing.IDENTICAL)
    out = tmp_path / "out"
    repo.checkout("main", out, options=options)
    (out / "hello.txt").unlink()
    (out / "hello.txt").write_bytes(b"hello\n")
    (out / "hello.txt").chmod(0o644)

    repo.checkout("main", out, options=options)

    for name, kind in [("hello.txt", "file"), ("empty", "file"), ("link", "link"), ("suid", "dir")]:
        (out / name).unlink()
        if kind == "file":
            (out / name).write_bytes(b"other")
        elif kind == "link":
            (out / name).symlink_to("other")
        else:
            (out / name).mkdir()
        with pytest.raises(ExistsError, match=f"{name}|File exists"):
            repo.checkout("main", out, options=options)
        if kind == "dir":
            (out / name).rmdir()
        else:
            (out / name).unlink()
    repo.checkout("main", out, options=options)
    (out / "hello.txt").unlink()
    (out / "hello.txt").write_bytes(b"hellO\n")
    with pytest.raises(ExistsError) as caught:
        repo.checkout("main", out, options=options)
    path = f"{HELLO[:2]}/{HELLO[2:]}.file"
    assert str(caught.value) == f"Hardlinking {path} to hello.txt: File exists"


def test_union_of_things_of_different_kind(repo: Repo, tmp_path: Path) -> None:
    union = CheckoutOptions(user_mode=True, existing=Existing.REPLACE)
    (tmp_path / "one/hello.txt").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    (tmp_path / "two/sub").write_bytes(b"")
    (tmp_path / "three").mkdir()
    (tmp_path / "three/sub").symlink_to(tmp_path / "tree")

    with pytest.raises(RepoError, match=r"renameat\([-./\w]+, hello.txt\): Is a dir"):
        repo.checkout("main", tmp_path / "one", options=union)
    for name in ("two", "three"):
        with pytest.raises(RepoError) as caught:
            repo.checkout("main", tmp_path / name, options=union)
        assert str(caught.value) == "opendir(sub): Not a directory"

    assert names(tmp_path / "one") == ["empty", "hello.txt"]


# parts ------------------------------------------------------------------------------------------


def test_a_directory_of_the_tree(repo: Repo, tmp_path: Path) -> None:
    repo.checkout("main", tmp_path / "out", options=USER, subpath="/sub")

    assert names(tmp_path / "out") == ["big.txt", "xa"]
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755


@pytest.mark.parametrize("name", ["hello.txt", "link", "bin/run.sh"])
def test_a_file_of_the_tree(repo: Repo, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"

    repo.checkout("main", out, options=USER, subpath=name)

    assert names(out) == [name.rpartition("/")[2]]
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_a_file_may_go_where_other_things_are(repo: Repo, tmp_path: Path) -> None:
    """Unlike a directory, a file has its own name in the destination."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "other").write_bytes(b"mine")

    repo.checkout("main", out, options=USER, subpath="/hello.txt")
    with pytest.raises(ExistsError, match=r"hello\.txt: (linkat: )?File exists$"):
        repo.checkout("main", out, options=USER, subpath="/hello.txt")

    assert names(out) == ["hello.txt", "other"]


def test_a_file_into_the_current_directory(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    repo.checkout("main", ".", options=USER, subpath="/hello.txt")

    assert names(tmp_path / "here") == ["hello.txt"]


@pytest.mark.parametrize("mode", ["bare-user"], indirect=True)
@pytest.mark.parametrize(
    ("rev", "subpath", "destination", "message"),
    [
        ("nope", "/", "out", "Refspec 'nope' not found"),
        ("1" * 64, "/", "out", f"No such metadata object {'1' * 64}.commit"),
        ("main", "/nope", "out", "No such file or directory: /nope"),
        ("main", "/hello.txt/x", "out", "Not a directory"),
        ("main", "/", "no/out", "mkdirat: No such file or directory"),
        ("main", "/hello.txt", "no/out", "mkdirat: No such file or directory"),
    ],
)
def test_what_is_not_there(
    repo: Repo, tmp_path: Path, rev: str, subpath: str, destination: str, message: str
) -> None:
    with pytest.raises(OSTreeError) as caught:
        repo.checkout(rev, tmp_path / destination, options=USER, subpath=subpath)

    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("type", [ObjectType.FILE, ObjectType.DIRTREE, ObjectType.DIRMETA])
def test_a_missing_object_is_named(repo: Repo, tmp_path: Path, mode: str, type: ObjectType) -> None:
    checksum = {
        ObjectType.FILE: RUN if mode != "bare" or IS_ROOT else HELLO,
        ObjectType.DIRTREE: BIN_TREE,
        ObjectType.DIRMETA: META_0755,
    }[type]
    if not repo.store.has(checksum, type):
        pytest.skip("owners other than root have other objects")
    os.unlink(repo.store.path(checksum, type), dir_fd=repo.store.objects.fd)

    with pytest.raises(NotFoundError, match=checksum):
        repo.checkout("main", tmp_path / "out", options=USER)

    if type is not ObjectType.DIRMETA:
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", ["archive"], indirect=True)
def test_a_damaged_object_stops_it(repo: Repo, tmp_path: Path) -> None:
    path = repo.store.path(BIG, ObjectType.FILE)
    os.truncate(os.path.join(repo.path, "objects", path), 30)

    with pytest.raises(OSTreeError) as caught:
        repo.checkout("main", tmp_path / "out", options=USER)

    assert caught.value.hint == "while checking out big.txt"
    assert not (tmp_path / "out/sub/big.txt").exists()


# hostile trees ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["bare-user", "archive"], indirect=True)
@pytest.mark.parametrize("existing", [Existing.REFUSE, Existing.REPLACE, Existing.KEEP])
def test_a_link_and_a_directory_of_one_name_lead_nowhere(
    repo: Repo, tmp_path: Path, existing: Existing
) -> None:
    """A hostile tree: what is in the directory must not go where the link points."""
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tmp_path / "links"
    link.mkdir()
    (link / "x").symlink_to(outside)
    store(repo, link, "links")
    links = repo.load_dirtree(repo.load_commit(repo.resolve("links")).root.dirtree)
    hostile = DirTree(links.files, [("x", BIN_TREE, META_0755)])
    with repo.transaction(fsync=False) as txn:
        tree = txn.write_metadata(ObjectType.DIRTREE, dirtree.encode(hostile))
        meta = repo.load_commit(repo.resolve("main")).root.dirmeta
        if not repo.store.has(META_0755, ObjectType.DIRMETA):
            pytest.skip("owners other than root have other objects")
        checksum = txn.commit(TreeId(tree, meta), timestamp=1)

    refused = pytest.raises(ExistsError) if existing is Existing.REFUSE else suppress(OSTreeError)
    with refused:
        repo.checkout(
            checksum, tmp_path / "out", options=CheckoutOptions(user_mode=True, existing=existing)
        )

    assert names(outside) == []


@pytest.mark.parametrize("mode", ["bare-user"], indirect=True)
def test_two_files_of_one_name_are_refused(repo: Repo, tmp_path: Path) -> None:
    data = encode("(a(say)a(sayay))", ([("f", HELLO.digest), ("f", RUN.digest)], []))
    with repo.transaction(fsync=False) as txn:
        tree = txn.write_metadata(ObjectType.DIRTREE, data)
        meta = repo.load_commit(repo.resolve("main")).root.dirmeta
        checksum = txn.commit(TreeId(tree, meta), timestamp=1)

    with pytest.raises(ExistsError, match=r"f: File exists$|^File exists: f$"):
        repo.checkout(checksum, tmp_path / "out", options=USER)


# more options -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["bare-user"], indirect=True)
def test_directory_modes_can_be_masked(repo: Repo, tmp_path: Path) -> None:
    options = CheckoutOptions(user_mode=True, bareuseronly_dirs=True)

    repo.checkout("main", tmp_path / "out", options=options)

    assert stat.S_IMODE((tmp_path / "out/emptydir").stat().st_mode) == 0o771


@pytest.mark.parametrize("mode", ["bare-user-only"], indirect=True)
def test_bare_user_only_masks_modes_of_pulled_directories(repo: Repo, tmp_path: Path) -> None:
    """Its own commits have no such directories, those of others may."""
    writable = dirmeta.encode(DirMeta(0, 0, 0o040777))
    with repo.transaction(fsync=False) as txn:
        meta = txn.write_metadata(ObjectType.DIRMETA, writable)
        tree = txn.write_metadata(ObjectType.DIRTREE, dirtree.encode(DirTree([], [])))
        checksum = txn.commit(TreeId(tree, meta), timestamp=1)

    repo.checkout(checksum, tmp_path / "out", options=USER)

    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o775


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="making devices needs root")
@pytest.mark.parametrize("mode", ["bare", "bare-user", "archive"], indirect=True)
def test_passed_through_whiteouts_become_devices(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer/.ostree-wh.gone").write_bytes(b"")
    (tmp_path / "layer/.ostree-wh.gone").chmod(0o640)
    (tmp_path / "layer/kept").write_bytes(b"kept")
    store(repo, tmp_path / "layer", "layer")
    options = CheckoutOptions(passthrough_whiteouts=True)

    repo.checkout("layer", tmp_path / "out", options=options)

    info = (tmp_path / "out/gone").lstat()
    assert names(tmp_path / "out") == ["gone", "kept"]
    assert stat.S_ISCHR(info.st_mode)
    assert info.st_rdev == 0
    assert stat.S_IMODE(info.st_mode) == 0o640


@pytest.mark.parametrize("mode", ["bare-user"], indirect=True)
def test_an_empty_whiteout_is_refused(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer/.ostree-wh.").write_bytes(b"")
    store(repo, tmp_path / "layer", "layer")
    options = CheckoutOptions(user_mode=True, passthrough_whiteouts=True)

    with pytest.raises(RepoError) as caught:
        repo.checkout("layer", tmp_path / "out", options=options)

    assert str(caught.value) == "Invalid empty overlayfs whiteout ''"


def test_objects_of_the_parent_repository_are_used(repo: Repo, tmp_path: Path, mode: str) -> None:
    Repo.create(tmp_path / "child", mode).close()
    with (tmp_path / "child/config").open("a") as file:
        file.write("parent=../repo\n")

    with Repo.open(tmp_path / "child") as child:
        child.checkout("main", tmp_path / "out", options=USER)

    assert names(tmp_path / "out") == names(tmp_path / "tree")
    if mode in ("bare-user", "bare-user-only"):
        assert (tmp_path / "out/hello.txt").stat().st_nlink > 1


def test_nothing_stays_open(repo: Repo, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))

    repo.checkout("main", tmp_path / "out", options=USER)
    with pytest.raises(ExistsError):
        repo.checkout("main", tmp_path / "out", options=USER)

    assert len(os.listdir("/proc/self/fd")) == before


def test_the_vectors_are_in_every_repository(repo: Repo, mode: str) -> None:
    """That the tests above are about the objects they name."""
    if mode == "bare" and not IS_ROOT:
        pytest.skip("files of root in a bare repository need root")
    for checksum in (HELLO, RUN, EMPTY, LINK):
        assert repo.has_object(checksum, ObjectType.FILE)
    assert not repo.has_object(EMPTY_TREE, ObjectType.DIRMETA)


# whiteouts --------------------------------------------------------------------------------------


def commit_files(repo: Repo, tmp_path: Path, *names_: str, ref: str = "layer") -> None:
    """A commit of empty files."""
    layer = tmp_path / ref
    layer.mkdir()
    for name in names_:
        (layer / name).parent.mkdir(parents=True, exist_ok=True)
        (layer / name).write_bytes(b"")
    store(repo, layer, ref)


@pytest.mark.parametrize("mode", ["bare-user", "archive"], indirect=True)
@pytest.mark.parametrize("name", [".wh..", ".wh...", ".ostree-wh..", ".ostree-wh..."])
def test_whiteouts_reach_nothing_but_entries(repo: Repo, tmp_path: Path, name: str) -> None:
    """A hostile tree: ``..`` and ``.`` are no names of what could be hidden."""
    commit_files(repo, tmp_path, name)
    (tmp_path / "around/out").mkdir(parents=True)
    (tmp_path / "around/out/mine").write_bytes(b"mine")
    (tmp_path / "around/beside").write_bytes(b"mine")
    options = CheckoutOptions(
        user_mode=True, existing=Existing.REPLACE, whiteouts=True, passthrough_whiteouts=True
    )

    with pytest.raises(OSTreeError, match=r"^Invalid (self-referential|path uplink) filename"):
        repo.checkout("layer", tmp_path / "around/out", options=options)

    assert names(tmp_path / "around") == ["beside", "out"]
    assert names(tmp_path / "around/out") == ["mine"]


@pytest.mark.parametrize("mode", ["bare-user", "archive"], indirect=True)
def test_whiteouts_hide_what_is_below_only(repo: Repo, tmp_path: Path) -> None:
    """Whatever the order of the names, what is in the layer itself stays."""
    commit_files(repo, tmp_path, ".wh.(early", "(early", ".wh.z", "z", ".wh.gone")
    out = tmp_path / "out"
    out.mkdir()
    (out / "gone").symlink_to(tmp_path / "tree")
    (out / "z").mkdir()
    options = CheckoutOptions(user_mode=True, existing=Existing.REPLACE, whiteouts=True)

    repo.checkout("layer", out, options=options)

    assert names(out) == ["(early", "z"]
    assert (out / "z").is_file()
    assert names(tmp_path / "tree")


@pytest.mark.parametrize("mode", ["bare-user", "archive"], indirect=True)
@pytest.mark.parametrize("kind", ["file", "link"])
def test_layers_put_directories_where_other_things_were(
    repo: Repo, tmp_path: Path, kind: str
) -> None:
    """With whiteouts; a link to a directory is another thing, too."""
    out = occupied(tmp_path)
    (out / "bin").symlink_to(tmp_path / "tree") if kind == "link" else (out / "bin").touch()
    options = CheckoutOptions(user_mode=True, existing=Existing.REPLACE, whiteouts=True)

    repo.checkout("main", out, options=options)

    assert not (out / "bin").is_symlink()
    assert names(out / "bin") == ["run.sh"]
    assert "run.sh" not in names(tmp_path / "tree")


@pytest.mark.parametrize("mode", ["bare-user"], indirect=True)
def test_an_opaque_root_empties_the_destination_in_place(repo: Repo, tmp_path: Path) -> None:
    commit_files(repo, tmp_path, ".wh..wh..opq", "new")
    out = occupied(tmp_path)
    inode = out.stat().st_ino
    options = CheckoutOptions(user_mode=True, existing=Existing.KEEP, whiteouts=True)

    repo.checkout("layer", out, options=options)

    assert names(out) == ["new"]
    assert out.stat().st_ino == inode
    assert out.stat().st_mtime_ns == 0


# identical files --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["bare-user", "bare-user-only"], indirect=True)
def test_a_tree_is_identical_to_itself(repo: Repo, tmp_path: Path) -> None:
    """What had to be copied the first time (empty, unreadable) counts as the same, too."""
    options = CheckoutOptions(user_mode=True, require_hardlinks=True, existing=Existing.IDENTICAL)

    for _ in range(2):
        repo.checkout("main", tmp_path / "out", options=options)

    if IS_ROOT:
        (tmp_path / "out/unreadable").write_bytes(b"unreadablE")
        with pytest.raises(ExistsError, match=r"unreadable: linkat: File exists$"):
            repo.checkout("main", tmp_path / "out", options=options)


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="making devices needs root")
@pytest.mark.parametrize("mode", ["bare-user", "bare-user-only"], indirect=True)
def test_devices_are_identical_to_themselves(repo: Repo, tmp_path: Path) -> None:
    commit_files(repo, tmp_path, ".ostree-wh.gone")
    out = tmp_path / "out"
    options = CheckoutOptions(
        user_mode=True,
        require_hardlinks=True,
        existing=Existing.IDENTICAL,
        passthrough_whiteouts=True,
    )

    for _ in range(2):
        repo.checkout("layer", out, options=options)
    (out / "gone").unlink()
    (out / "gone").touch(0o644)

    with pytest.raises(OSTreeError) as caught:
        repo.checkout("layer", out, options=options)
    assert str(caught.value) == "existing destination file gone is not a character device 0:0"


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="giving links away needs root")
@pytest.mark.parametrize("mode", ["bare-user", "archive"], indirect=True)
def test_a_link_that_replaces_another_has_its_own_owner(repo: Repo, tmp_path: Path) -> None:
    out = occupied(tmp_path)
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "link").symlink_to("theirs")
    with repo.transaction(fsync=False) as txn:
        root = txn.import_directory(layer, modifier=Modifier(owner_uid=5, owner_gid=6))
        commit = txn.commit(root, timestamp=1)

    repo.checkout(commit, out, options=CheckoutOptions(existing=Existing.REPLACE))

    info = (out / "link").lstat()
    assert os.readlink(out / "link") == "theirs"
    assert (info.st_uid, info.st_gid) == (5, 6)


# the cache of decompressed content --------------------------------------------------------------


@pytest.mark.parametrize("mode", ["archive"], indirect=True)
def test_decompressed_content_is_kept_and_linked(repo: Repo, tmp_path: Path) -> None:
    options = CheckoutOptions(user_mode=True, uncompressed_cache=True)

    repo.checkout("main", tmp_path / "one", options=options)
    repo.checkout("main", tmp_path / "two", options=options)

    cached = sorted(Path(repo.path, "uncompressed-objects-cache").glob("*/*"))
    assert f"{HELLO[2:]}.file" in {path.name for path in cached}
    for path in cached:
        assert stat.S_IMODE(path.stat().st_mode) & 0o6000 == 0
        assert path.stat().st_nlink == 3
    assert os.path.samefile(tmp_path / "one/suid", tmp_path / "two/suid")
    for name in ("empty", "unreadable") if IS_ROOT else ("empty",):
        assert (tmp_path / "one" / name).stat().st_nlink == 1


@pytest.mark.parametrize("mode", ["archive"], indirect=True)
def test_the_cache_may_go_at_any_time(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between being put there and being linked to, even."""
    genuine = UncompressedCache.add

    def add(self: UncompressedCache, checksum: Checksum, content: LoadedContent) -> None:
        genuine(self, checksum, content)
        os.unlink(f"{checksum[:2]}/{checksum[2:]}.file", dir_fd=self.directory.fd)

    monkeypatch.setattr(UncompressedCache, "add", add)

    repo.checkout(
        "main", tmp_path / "out", options=CheckoutOptions(user_mode=True, uncompressed_cache=True)
    )

    assert (tmp_path / "out/hello.txt").read_bytes() == b"hello\n"
    assert names(tmp_path / "out") == names(tmp_path / "tree")


@pytest.mark.parametrize("mode", ["archive"], indirect=True)
@pytest.mark.parametrize("reason", ["configured", "read-only", "owned", "not asked for"])
def test_there_may_be_no_cache(repo: Repo, tmp_path: Path, reason: str) -> None:
    if reason == "configured":
        keyfile = repo.config.keyfile.copy()
        keyfile.set_string("core", "enable-uncompressed-cache", "false")
        repo.save_config(keyfile)
    elif reason == "read-only":
        repo.writable = False
    elif reason == "owned" and not IS_ROOT:
        pytest.skip("giving files away needs root")
    options = CheckoutOptions(
        user_mode=reason != "owned", uncompressed_cache=reason != "not asked for"
    )

    repo.checkout("main", tmp_path / "out", options=options)

    assert not Path(repo.path, "uncompressed-objects-cache").exists()
    assert (tmp_path / "out/hello.txt").stat().st_nlink == 1


# labels -----------------------------------------------------------------------------------------


def policy_of(top: Path) -> Policy:
    policy = Policy.open(top)
    assert policy is not None
    return policy


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="labels are root's")
@pytest.mark.parametrize("mode", ["bare", "bare-user", "archive"], indirect=True)
def test_everything_is_labelled(repo: Repo, tmp_path: Path) -> None:
    """Directories and links, too, and no label of another policy stays."""
    tree = tmp_path / "tree"
    for path in (tree / "bin", tree / "bin/run.sh"):
        os.setxattr(path, "security.selinux", b"old\0")
    store(repo, tree)
    make_policy(
        tmp_path / "policy",
        contexts="/.*\tu:r:any\n/bin\t-d\tu:r:dir\n/link\t-l\tu:r:link\n/empty\t<<none>>\n",
    )
    out = tmp_path / "out"

    labels_of_policy = Labels(policy_of(tmp_path / "policy"))
    repo.checkout("main", out, options=CheckoutOptions(labels=labels_of_policy))

    labels = {
        name: os.getxattr(out / name, "security.selinux", follow_symlinks=False)
        for name in (".", "bin", "bin/run.sh", "hello.txt", "link")
    }
    assert labels == {
        ".": b"u:r:any",
        "bin": b"u:r:dir",
        "bin/run.sh": b"u:r:any",
        "hello.txt": b"u:r:any",
        "link": b"u:r:link",
    }
    assert os.listxattr(out / "empty") == []
    assert (out / "hello.txt").stat().st_nlink == 1


# progress, and what is left out -----------------------------------------------------------------


def test_progress_ends_with_the_number_of_files(repo: Repo, tmp_path: Path) -> None:
    events: list[StepProgress] = []

    repo.checkout("main", tmp_path / "out", options=USER, on_event=events.append)  # type: ignore[arg-type]

    count = sum(len(files) for _, _, files in os.walk(tmp_path / "out"))
    assert {event.operation for event in events} == {"checkout"}
    assert (events[-1].done, events[-1].total) == (count, count)


def test_the_number_of_files_is_known_from_the_start(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it can be told how much is done; but not what a list will leave out."""
    monkeypatch.setattr("ostree.repo.checkout._REPORT_EVERY", 1)
    whole: list[StepProgress] = []
    part: list[StepProgress] = []

    repo.checkout("main", tmp_path / "a", options=USER, on_event=whole.append)  # type: ignore[arg-type]
    options = CheckoutOptions(user_mode=True, skip={"/suid"})
    repo.checkout("main", tmp_path / "b", options=options, on_event=part.append)  # type: ignore[arg-type]

    assert len(whole) > 2
    assert {event.total for event in whole} == {whole[-1].done}
    assert {event.total for event in part[:-1]} == {None}
    assert part[-1].total == part[-1].done == whole[-1].done - 1


def test_a_tree_that_cannot_be_counted_fails_where_it_always_did(
    repo: Repo, tmp_path: Path
) -> None:
    os.unlink(repo.store.path(BIN_TREE, ObjectType.DIRTREE), dir_fd=repo.store.objects.fd)

    with pytest.raises(NotFoundError, match=f"^No such metadata object {BIN_TREE}.dirtree$"):
        repo.checkout("main", tmp_path / "out", options=USER, on_event=lambda _: None)

    assert (tmp_path / "out/hello.txt").exists()


def test_what_is_skipped_is_not_even_read(repo: Repo, tmp_path: Path) -> None:
    for checksum, kind in ((HELLO, ObjectType.FILE), (BIN_TREE, ObjectType.DIRTREE)):
        if repo.store.has(checksum, kind):
            os.unlink(repo.store.path(checksum, kind), dir_fd=repo.store.objects.fd)
    skip = {"/hello.txt", "/bin/", "/sub/xa", "/link/"}
    options = CheckoutOptions(user_mode=True, skip=skip)

    repo.checkout("main", tmp_path / "out", options=options)

    expected = {*names(tmp_path / "tree")} - {"hello.txt", "bin"}
    assert {*names(tmp_path / "out")} == expected
    assert names(tmp_path / "out/sub") == ["big.txt"]


def test_a_missing_part_may_be_nothing(repo: Repo, tmp_path: Path) -> None:
    options = CheckoutOptions(user_mode=True, allow_missing=True)

    repo.checkout("main", tmp_path / "out", options=options, subpath="/nope/x")
    with pytest.raises(NotFoundError, match=r"^Not a directory$"):
        repo.checkout("main", tmp_path / "out", options=options, subpath="/hello.txt/x")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_skip_list_skips_nothing(text: str) -> None:
    assert parse_skip_list(text) == frozenset()


def test_a_skip_list_is_taken_word_for_word() -> None:
    assert parse_skip_list("/a\n/b/\n\n /c \r\n") == {"/a", "/b/", " /c \r"}


def test_a_file_of_a_layer_replaces_a_directory(tmp_path: Path) -> None:
    """Layers of containers do so: what was below the directory is gone with it."""
    with Repo.create(tmp_path / "layers", "archive") as repo:
        for ref, make in (("lower", "d/below"), ("upper", "d")):
            path = tmp_path / ref / make
            path.parent.mkdir(parents=True)
            path.write_text(ref)
            with repo.transaction() as txn:
                txn.set_ref(ref, txn.commit(txn.import_directory(tmp_path / ref)))
        options = CheckoutOptions(user_mode=True, existing=Existing.REPLACE, whiteouts=True)
        repo.checkout("lower", tmp_path / "out", options=options)

        repo.checkout("upper", tmp_path / "out", options=options)

    assert (tmp_path / "out/d").read_text() == "upper"
