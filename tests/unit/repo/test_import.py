"""Committing directories: everything that can be in one, and a sentence for what cannot."""

from __future__ import annotations

import os
import resource
import socket
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError, RepoError
from ostree.events import Event, StepProgress
from ostree.repo import file_import
from ostree.repo.checkout_options import CheckoutOptions
from ostree.repo.modifier import Modifier
from ostree.repo.repository import Repo
from ostree.store.content import checksum_descriptor
from ostree.system import files
from ostree.types import FileHeader, ObjectType, RepoMode, TreeId
from support import processes
from support.vectors import BIG, HELLO, IS_ROOT, RUN, make_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.types import Checksum


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo", "bare-user") as opened:
        yield opened


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def import_tree(repo: Repo, tree: Path | str, modifier: Modifier | None = None) -> TreeId:
    with repo.transaction(fsync=False) as txn:
        return txn.import_directory(tree, modifier=modifier)


def commit(repo: Repo, tree: Path, ref: str = "main") -> Checksum:
    with repo.transaction(fsync=False) as txn:
        checksum = txn.commit(txn.import_directory(tree), timestamp=1)
        txn.set_ref(ref, checksum)
    return checksum


def failure(repo: Repo, tree: Path | str) -> OSTreeError:
    """The error of committing that."""
    with pytest.raises(OSTreeError) as caught:
        import_tree(repo, tree)
    assert repo.refs.all() == {}
    return caught.value


# what cannot be committed -----------------------------------------------------------------------


@pytest.mark.parametrize("where", ["", "sub/deeper"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_special_files_are_refused_by_name(
    repo: Repo, tree: Path, kind: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "device" and not IS_ROOT:
        pytest.skip("making devices needs root")
    (tree / where).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tree / where)  # as addresses of sockets are short
    if kind == "pipe":
        os.mkfifo("special")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("special")
    else:
        os.mknod("special", 0o020644, os.makedev(1, 3))

    error = failure(repo, tree)

    assert str(error) == "Not a regular file or symlink: special"
    assert f"/{where}" in str(error.hint)


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_names_that_are_not_utf8_are_refused(repo: Repo, tree: Path, kind: str) -> None:
    path = os.fsencode(tree) + b"/caf\xe9"
    if kind == "file":
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    elif kind == "directory":
        os.mkdir(path)
    else:
        os.symlink(b"target", path)

    assert str(failure(repo, tree)) == "Invalid UTF-8 in filename caf\ufffd"


def test_targets_that_are_not_utf8_are_refused(repo: Repo, tree: Path) -> None:
    """Where upstream stores something else instead."""
    os.symlink(b"caf\xe9", os.fsencode(tree) + b"/link")

    error = failure(repo, tree)

    assert str(error) == "Invalid UTF-8 in symlink target caf\ufffd"
    assert error.hint == "while committing /link"


def test_what_is_no_directory_is_refused(repo: Repo, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tree)

    for name, reason in [
        ("missing", "No such file or directory"),
        ("file", "Not a directory"),
        ("link", "Not a directory"),
    ]:
        assert str(failure(repo, tmp_path / name)) == f"opendir({tmp_path}/{name}): {reason}"


def test_a_link_to_a_directory_is_followed_with_a_slash(
    repo: Repo, tree: Path, tmp_path: Path
) -> None:
    (tree / "f").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tree)

    assert import_tree(repo, f"{tmp_path}/link/") == import_tree(repo, tree)


UNREADABLE = """
    import sys
    from ostree.errors import OSTreeError
    from ostree.repo.repository import Repo
    with Repo.open(sys.argv[1]) as repo:
        try:
            with repo.transaction() as txn:
                txn.import_directory(sys.argv[2])
        except OSTreeError as error:
            print(error)
            print(error.hint)
"""


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("sub/file", "openat(file): Permission denied", "while committing /sub/file"),
        ("sub/dir", "opendir(dir): Permission denied", "while committing /sub/dir"),
    ],
)
def test_what_cannot_be_read_is_named(
    repo: Repo, tree: Path, name: str, message: str, hint: str
) -> None:
    (tree / "sub/dir").mkdir(parents=True)
    (tree / "sub/file").write_bytes(b"secret")
    (tree / name).chmod(0)

    done = processes.run_unprivileged(UNREADABLE, repo.path, tree)

    (tree / name).chmod(0o700)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [message, hint]


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="files of others need root")
def test_bare_repositories_need_root_for_files_of_others(tmp_path: Path, tree: Path) -> None:
    (tree / "file").write_bytes(b"x")
    os.chown(tree / "file", 12, 34)
    Repo.create(tmp_path / "bare", "bare").close()

    done = processes.run_unprivileged(UNREADABLE, tmp_path / "bare", tree)

    assert done.stderr == ""
    assert done.stdout.startswith("Writing content object: fchown: Operation not permitted\n")


def test_a_file_that_changes_meanwhile_is_noticed(
    repo: Repo, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashed first and copied afterwards: what is stored is what was hashed, or nothing is."""
    monkeypatch.setattr(file_import, "SMALL", 10)
    (tree / "file").write_bytes(b"before" * 100)
    genuine = checksum_descriptor

    def hash_and_change(header: FileHeader, fd: int, size: int) -> Checksum:
        found = genuine(header, fd, size)
        (tree / "file").write_bytes(b"after." * 100)
        return found

    monkeypatch.setattr(file_import, "checksum_descriptor", hash_and_change)

    error = failure(repo, tree)

    assert str(error) == "Writing content object: File changed while it was committed"
    assert list(repo.store.objects_of(ObjectType.FILE)) == []


@pytest.mark.parametrize("mode", ["bare-user", "archive"])
def test_a_file_that_grows_meanwhile_is_what_it_was(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(file_import, "SMALL", 10)
    (tree / "file").write_bytes(b"before" * 100)
    genuine = checksum_descriptor

    def hash_and_append(header: FileHeader, fd: int, size: int) -> Checksum:
        found = genuine(header, fd, size)
        with (tree / "file").open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(file_import, "checksum_descriptor", hash_and_append)
    with Repo.create(tmp_path / "repo", mode) as repo:
        commit(repo, tree)

        assert not repo.fsck().corrupted
        repo.checkout("main", tmp_path / "out", options=CheckoutOptions(user_mode=True))
    assert (tmp_path / "out/file").read_bytes() == b"before" * 100


def test_a_directory_that_goes_away_meanwhile_is_an_error_of_ours(
    repo: Repo, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "sub").mkdir()
    genuine = files.open_beneath

    def remove_and_open(dir_fd: int, path: str) -> int:
        (tree / "sub").rmdir()
        return genuine(dir_fd, path)

    monkeypatch.setattr(files, "open_beneath", remove_and_open)

    assert str(failure(repo, tree)) == "opendir(sub): No such file or directory"


# what can ---------------------------------------------------------------------------------------


def test_hard_links_are_one_object(repo: Repo, tree: Path, tmp_path: Path) -> None:
    (tree / "a").write_bytes(b"content")
    (tree / "sub").mkdir()
    os.link(tree / "a", tree / "b")
    os.link(tree / "a", tree / "sub/c")

    commit(repo, tree)

    assert len(list(repo.store.objects_of(ObjectType.FILE))) == 1
    repo.checkout("main", tmp_path / "out", options=CheckoutOptions(user_mode=True))
    assert (tmp_path / "out/sub/c").read_bytes() == b"content"


def test_names_of_the_greatest_length(repo: Repo, tree: Path, tmp_path: Path) -> None:
    names = ["n" * 255, "é" * 127, "😀" * 63]
    for name in names:
        (tree / name).write_bytes(name.encode())
        (tree / f"d{name[1:]}").mkdir(exist_ok=True)
    (tree / ("l" * 255)).symlink_to("t" * 255)

    commit(repo, tree)
    repo.checkout("main", tmp_path / "out", options=CheckoutOptions(user_mode=True))

    assert sorted(os.listdir(tmp_path / "out")) == sorted(os.listdir(tree))
    assert os.readlink(tmp_path / "out" / ("l" * 255)) == "t" * 255
    assert not repo.fsck().corrupted


def test_deep_trees(repo: Repo, tree: Path, tmp_path: Path) -> None:
    """Deeper than a path can be long: 400 levels of 22 bytes are 9 kB."""
    fd = os.open(tree, os.O_RDONLY)
    for level in range(400):
        name = f"directory-of-level-{level:03}"
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    file = os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.write(file, b"at the bottom")
    os.close(file)
    os.close(fd)

    commit(repo, tree)
    repo.checkout("main", tmp_path / "out", options=CheckoutOptions(user_mode=True))

    assert not repo.fsck().corrupted
    with repo.transaction(fsync=False) as txn:
        fd = os.open(tmp_path / "out", os.O_RDONLY)
        try:
            again = txn.import_directory(f"/proc/self/fd/{fd}/", modifier=Modifier(no_xattrs=True))
        finally:
            os.close(fd)
        # Nothing of it differs but what a checkout of a bare-user repository leaves out.
        assert txn.stats.metadata_written == 0
    assert again == repo.load_commit(repo.resolve("main")).root


MANY = """
    import os, resource, sys
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    from ostree.repo.checkout_options import CheckoutOptions
    from ostree.repo.repository import Repo
    base = sys.argv[1]
    os.mkdir(f"{base}/tree")
    for number in range(5000):
        os.mkdir(f"{base}/tree/{number:04}")
        if number % 10 == 0:
            with open(f"{base}/tree/{number:04}/file", "w") as file:
                file.write(str(number % 50))
    with Repo.create(f"{base}/repo", "bare-user") as repo:
        with repo.transaction(fsync=False) as txn:
            txn.set_ref("main", txn.commit(txn.import_directory(f"{base}/tree")))
        repo.checkout("main", f"{base}/out", options=CheckoutOptions(user_mode=True))
        print(len(os.listdir(f"{base}/out")), repo.fsck().corrupted)
"""


def test_many_directories_take_few_descriptors(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 256

    done = processes.run(MANY, tmp_path)

    assert done.stderr == ""
    assert done.stdout == "5000 False\n"


def test_an_empty_directory(repo: Repo, tree: Path) -> None:
    tree.chmod(0o755)

    root = import_tree(repo, tree, Modifier(canonical_permissions=True))

    assert root.dirtree == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root.dirmeta == "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488"


def test_progress_only_grows(repo: Repo, tree: Path) -> None:
    for number in range(300):
        (tree / str(number)).write_bytes(b"")
    events: list[Event] = []

    with repo.transaction(fsync=False) as txn:
        txn.import_directory(tree, on_event=events.append)

    done = [event.done for event in events if isinstance(event, StepProgress)]
    assert done == sorted(done)
    assert done[-1] == 300


# modifiers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modifier", "mode", "expected"),
    [
        (Modifier(), 0o104755, (1, 2, 0o104755)),
        (Modifier(owner_uid=7), 0o100644, (7, 2, 0o100644)),
        (Modifier(owner_gid=0), 0o120777, (1, 0, 0o120777)),
        (Modifier(canonical_permissions=True), 0o104777, (0, 0, 0o100755)),
        (Modifier(canonical_permissions=True), 0o042775, (0, 0, 0o040755)),
        (Modifier(canonical_permissions=True), 0o120777, (0, 0, 0o120777)),
        (Modifier(ro_executables=True), 0o100775, (1, 2, 0o100555)),
        (Modifier(ro_executables=True), 0o100664, (1, 2, 0o100664)),
        (Modifier(ro_executables=True), 0o040777, (1, 2, 0o040777)),
    ],
)
def test_what_modifiers_change(
    modifier: Modifier, mode: int, expected: tuple[int, int, int]
) -> None:
    assert modifier.apply(1, 2, mode) == expected


def test_attributes_are_left_out_on_request() -> None:
    pairs = ((b"user.a", b"1"),)

    assert Modifier().header(1, 2, 0o100644, "", pairs).xattrs == pairs
    assert Modifier(no_xattrs=True).header(1, 2, 0o100644, "", pairs).xattrs == ()
    assert Modifier(canonical_permissions=True).header(1, 2, 0o100644, "", pairs).xattrs == ()


def test_bare_user_only_always_takes_the_canonical_form() -> None:
    modifier = Modifier(owner_uid=7, ro_executables=True)

    adapted = modifier.for_repository(RepoMode.BARE_USER_ONLY)

    assert adapted.apply(1, 2, 0o104777) == (0, 0, 0o100555)
    assert adapted.no_xattrs
    assert modifier.for_repository(RepoMode.BARE) is modifier


def test_large_files_are_the_same_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of large files, taken by all: known checksums, in every mode."""
    monkeypatch.setattr(file_import, "SMALL", 0)
    make_tree(tmp_path / "tree")
    for mode in ("bare-user", "archive"):
        with Repo.create(tmp_path / mode, mode) as repo:
            import_tree(repo, tmp_path / "tree", Modifier(owner_uid=0, owner_gid=0))

            found = set(repo.store.objects_of(ObjectType.FILE))
            assert {HELLO, RUN, BIG} <= found
            for checksum in (HELLO, RUN, BIG):
                with repo.load_content(checksum) as content:
                    assert content.size in (6, 18, 1000)


def test_an_error_of_a_writer_names_the_file(
    repo: Repo, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "file").write_bytes(b"x")

    def refuse(*_: object) -> bool:
        raise RepoError("of the store")

    monkeypatch.setattr(repo.store, "put_bytes", refuse)

    error = failure(repo, tree)

    assert str(error) == "Writing content object: of the store"
    assert error.hint == "while committing /file"
