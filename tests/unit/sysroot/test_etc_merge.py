"""Merges of /etc on the disk: every row of the table of results, and what is hard to copy."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.events import Message
from ostree.sysroot.etc_merge import merge_etc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ostree.events import Event

IS_ROOT = os.geteuid() == 0
REFUSED = "During /etc merge: Modified config file newly defaults to directory '{}', cannot merge"


class Deployments:
    """An old deployment whose ``etc`` is edited, and a new one."""

    def __init__(self, directory: Path) -> None:
        self.old = directory / "old"
        self.new = directory / "new"
        self.default = self.old / "usr/etc"
        self.offered = directory / "offered"
        self.default.mkdir(parents=True)
        for name in ("file", "gone", "sub/file", "sub/deep/file"):
            (self.default / name).parent.mkdir(exist_ok=True)
            (self.default / name).write_text(f"default {name}")
        (self.default / "link").symlink_to("file")
        (self.default / "empty").mkdir()
        shutil.copytree(self.default, self.etc, symlinks=True)
        shutil.copytree(self.default, self.offered, symlinks=True)
        #: What happens between plan and merge.
        self.meanwhile: Callable[[], object] = lambda: None
        self.lines: list[str] = []
        self.warnings: list[str] = []

    @property
    def etc(self) -> Path:
        return self.old / "etc"

    @property
    def merged(self) -> Path:
        return self.new / "etc"

    def merge(self, *, copy_xattrs: bool = True) -> None:
        shutil.rmtree(self.new, ignore_errors=True)
        shutil.copytree(self.offered, self.merged, symlinks=True)
        old_fd, new_fd = (os.open(path, os.O_RDONLY) for path in (self.old, self.new))
        try:
            merge_etc(old_fd, new_fd, copy_xattrs=copy_xattrs, on_event=self._listen)
        finally:
            os.close(old_fd)
            os.close(new_fd)

    def _listen(self, event: Event) -> None:
        if isinstance(event, Message):
            if event.text.startswith("Copying"):
                self.meanwhile()
            (self.warnings if event.warning else self.lines).append(event.text)


@pytest.fixture
def sides(tmp_path: Path) -> Deployments:
    return Deployments(tmp_path)


def replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("inside")


def replace_by_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("was a directory")


def replace_by_link(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    path.symlink_to("elsewhere")


def make_directory(path: Path, name: str) -> None:
    path.mkdir()
    (path / name).touch()


def rewrite(path: Path) -> None:
    path.unlink()
    path.write_text("local")


def nothing(_etc: Path) -> None:
    return


#: Local edit, change of the default, path, and what is there afterwards: the text of a file,
#: ``-> TARGET`` of a link, names in a directory, or None.
TABLE: tuple[
    tuple[str, Callable[[Path], object], Callable[[Path], object], str, str | list[str] | None], ...
] = (
    ("untouched, changed", nothing, lambda e: (e / "file").write_text("new"), "file", "new"),
    (
        "untouched, of another type",
        nothing,
        lambda e: replace_by_link(e / "file"),
        "file",
        "-> elsewhere",
    ),
    ("untouched, removed", nothing, lambda e: (e / "file").unlink(), "file", None),
    (
        "modified, changed",
        lambda e: (e / "file").write_text("local"),
        lambda e: (e / "file").write_text("new"),
        "file",
        "local",
    ),
    (
        "modified, removed",
        lambda e: (e / "sub/deep/file").write_text("local"),
        lambda e: shutil.rmtree(e / "sub"),
        "sub/deep/file",
        "local",
    ),
    ("deleted, still there", lambda e: (e / "file").unlink(), nothing, "file", None),
    (
        "deleted, changed",
        lambda e: (e / "file").unlink(),
        lambda e: (e / "file").write_text("new"),
        "file",
        None,
    ),
    (
        "directory deleted, more files",
        lambda e: shutil.rmtree(e / "sub"),
        lambda e: (e / "sub/more").write_text("new"),
        "sub",
        None,
    ),
    (
        "added, shipped as a file",
        lambda e: (e / "new").write_text("local"),
        lambda e: (e / "new").write_text("new"),
        "new",
        "local",
    ),
    (
        "added, shipped as a link",
        lambda e: (e / "new").write_text("local"),
        lambda e: (e / "new").symlink_to("file"),
        "new",
        "local",
    ),
    (
        "directory added, shipped as well",
        lambda e: make_directory(e / "d", "l"),
        lambda e: make_directory(e / "d", "v"),
        "d",
        ["l", "v"],
    ),
    (
        "file to directory",
        lambda e: replace_by_directory(e / "file"),
        lambda e: (e / "file").write_text("new"),
        "file",
        ["inside"],
    ),
    (
        "file to link",
        lambda e: replace_by_link(e / "file"),
        lambda e: (e / "file").write_text("new"),
        "file",
        "-> elsewhere",
    ),
    (
        "link to file",
        lambda e: rewrite(e / "link"),
        lambda e: replace_by_link(e / "link"),
        "link",
        "local",
    ),
    (
        "directory to file, removed",
        lambda e: replace_by_file(e / "sub"),
        lambda e: shutil.rmtree(e / "sub"),
        "sub",
        "was a directory",
    ),
    (
        "mode of a file, changed",
        lambda e: (e / "file").chmod(0o600),
        lambda e: (e / "file").write_text("new"),
        "file",
        "default file",
    ),
    ("new files", nothing, lambda e: (e / "fresh").write_text("new"), "fresh", "new"),
    ("nothing", nothing, nothing, "sub", ["deep", "file"]),
)


@pytest.mark.parametrize(
    ("edit", "change", "path", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_results(
    sides: Deployments,
    edit: Callable[[Path], object],
    change: Callable[[Path], object],
    path: str,
    expected: str | list[str] | None,
) -> None:
    edit(sides.etc)
    change(sides.offered)

    sides.merge()

    result = sides.merged / path
    if expected is None:
        assert not os.path.lexists(result)
    elif isinstance(expected, list):
        assert sorted(os.listdir(result)) == expected
    elif expected.startswith("-> "):
        assert os.readlink(result) == expected[3:]
    else:
        assert result.read_text() == expected


@pytest.mark.parametrize(
    ("edit", "change", "path"),
    [
        (
            lambda e: (e / "file").write_text("x"),
            lambda e: replace_by_directory(e / "file"),
            "file",
        ),
        (lambda e: (e / "new").write_text("x"), lambda e: (e / "new").mkdir(), "new"),
        (lambda e: replace_by_file(e / "sub"), nothing, "sub"),
        (lambda e: replace_by_link(e / "sub"), nothing, "sub"),
    ],
)
def test_refusals_change_nothing(
    sides: Deployments,
    edit: Callable[[Path], object],
    change: Callable[[Path], object],
    path: str,
) -> None:
    edit(sides.etc)
    (sides.etc / "gone").unlink()
    change(sides.offered)

    with pytest.raises(SysrootError) as caught:
        sides.merge()

    assert str(caught.value) == REFUSED.format(path)
    assert (sides.merged / "gone").exists(), "the merge has not begun"


def test_modes_of_directories(sides: Deployments) -> None:
    """Kept if something directly inside was changed, else lost."""
    for name in ("sub", "empty"):
        (sides.etc / name).chmod(0o700)
    (sides.etc / "sub/deep/file").write_text("local")

    sides.merge()
    lost = [stat.S_IMODE((sides.merged / name).stat().st_mode) for name in ("sub", "empty")]
    (sides.etc / "sub/file").write_text("local")
    sides.merge()
    kept = [stat.S_IMODE((sides.merged / name).stat().st_mode) for name in ("sub", "empty")]

    assert lost == [0o755, 0o755]
    assert kept == [0o700, 0o755]
    assert sides.lines[0] == "Copying /etc changes: 3 modified, 0 removed, 0 added"


def test_hard_links_become_files_of_their_own(sides: Deployments) -> None:
    (sides.etc / "one").write_text("local")
    os.link(sides.etc / "one", sides.etc / "two")

    sides.merge()

    one, two = (sides.merged / name for name in ("one", "two"))
    assert one.read_text() == two.read_text() == "local"
    assert one.stat().st_nlink == two.stat().st_nlink == 1


def test_times_of_files_and_names_of_any_bytes(sides: Deployments) -> None:
    name = os.fsdecode(b"\xff\n\x01")
    (sides.etc / name).mkdir()
    (sides.etc / name / name).write_text("local")
    os.utime(sides.etc / name / name, ns=(10**9, 2 * 10**9))

    sides.merge()

    assert (sides.merged / name / name).stat().st_mtime_ns == 2 * 10**9


def test_pipes_sockets_and_devices_are_left_behind_and_told(sides: Deployments) -> None:
    os.mkfifo(sides.etc / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(sides.etc)
        server.bind("socket")
    expected = ["pipe", "socket"]
    if IS_ROOT:
        os.mknod(sides.etc / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        expected = ["null", *expected]

    sides.merge()

    assert not {*expected} & {*os.listdir(sides.merged)}
    assert sides.warnings == [
        f"Ignoring non-regular/non-symlink file found during /etc merge: {name}"
        for name in expected
    ]


def test_what_vanishes_meanwhile_is_gone(sides: Deployments) -> None:
    """The configuration of a running system does not stand still."""
    (sides.etc / "file").write_text("local")
    (sides.etc / ".lock").write_text("")
    (sides.etc / "new/sub").mkdir(parents=True)
    (sides.etc / "new/sub/file").write_text("local")
    (sides.etc / "last").symlink_to("file")
    (sides.etc / "other").symlink_to("file")

    def meanwhile() -> None:
        for name in ("file", ".lock", "last"):
            (sides.etc / name).unlink()
        shutil.rmtree(sides.etc / "new")

    sides.meanwhile = meanwhile
    sides.merge()

    names = {*os.listdir(sides.merged)}
    assert not names & {"file", ".lock", "last"}
    assert os.readlink(sides.merged / "other") == "file"
    assert not (sides.merged / "new/sub/file").exists()


def test_links_are_copied_and_never_followed(sides: Deployments, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("outside")
    for name, target in (("absolute", str(tmp_path / "outside")), ("up", "../../../outside")):
        (sides.etc / name).symlink_to(target)
    (sides.etc / "file").unlink()
    (sides.etc / "file").symlink_to("/etc/passwd")

    sides.merge()

    assert os.readlink(sides.merged / "absolute") == str(tmp_path / "outside")
    assert os.readlink(sides.merged / "up") == "../../../outside"
    assert os.readlink(sides.merged / "file") == "/etc/passwd"


def test_nothing_is_written_through_a_link_of_the_new_default(
    sides: Deployments, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(0o755)
    (sides.etc / "sub/file").write_text("local")
    shutil.rmtree(sides.offered / "sub")
    (sides.offered / "sub").symlink_to(outside)

    with pytest.raises(SysrootError, match="a link out of /etc, cannot merge"):
        sides.merge()

    assert os.listdir(outside) == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755


def test_deeper_than_a_path_may_be_long(sides: Deployments) -> None:
    fd = os.open(sides.etc, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, 0o700, dir_fd=fd)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    file = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=fd)
    os.write(file, b"local")
    os.symlink("file", "link", dir_fd=fd)
    os.close(file)
    os.close(fd)

    sides.merge()

    fd = os.open(sides.merged, os.O_RDONLY)
    for _ in range(25):
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    try:
        assert sorted(os.listdir(fd)) == ["file", "link"]
        assert stat.S_IMODE(os.fstat(fd).st_mode) == 0o700
    finally:
        os.close(fd)


def test_large_files_are_not_read_into_memory(sides: Deployments) -> None:
    """Neither when they are compared nor when they are copied."""
    size = 200 << 20
    for directory in (sides.default, sides.etc, sides.offered):
        with (directory / "large").open("wb") as file:
            file.truncate(size)
    with (sides.etc / "large").open("r+b") as file:
        file.seek(size - 1)
        file.write(b"x")

    tracemalloc.start()
    try:
        sides.merge()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 << 20
    with (sides.merged / "large").open("rb") as file:
        file.seek(size - 1)
        assert file.read() == b"x"


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="owners and privileged attributes are root's")
@pytest.mark.parametrize("copy_xattrs", [True, False])
def test_owners_and_attributes(sides: Deployments, *, copy_xattrs: bool) -> None:
    """The set-user-ID bit and capabilities survive the change of the owner."""
    (sides.etc / "tool").write_text("local")
    os.chown(sides.etc / "tool", 3, 4)
    (sides.etc / "tool").chmod(0o4755)
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    os.setxattr(sides.etc / "tool", "security.capability", capability)
    os.setxattr(sides.etc / "tool", "user.note", b"note")
    (sides.etc / "l").symlink_to("tool")
    os.chown(sides.etc / "l", 5, 6, follow_symlinks=False)
    os.setxattr(sides.etc / "l", "trusted.note", b"note", follow_symlinks=False)
    os.setxattr(sides.etc / "sub", "user.note", b"lost")

    sides.merge(copy_xattrs=copy_xattrs)

    tool, link = sides.merged / "tool", sides.merged / "l"
    info = tool.stat()
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (3, 4, 0o4755)
    assert (link.lstat().st_uid, link.lstat().st_gid) == (5, 6)
    expected = ["security.capability", "user.note"] if copy_xattrs else []
    assert sorted(os.listxattr(tool)) == expected
    assert os.listxattr(link, follow_symlinks=False) == (["trusted.note"] if copy_xattrs else [])
    assert os.listxattr(sides.merged / "sub") == [], "attributes alone are no change"


def test_a_file_that_cannot_be_read_is_named(sides: Deployments) -> None:
    """The content of what replaced the directory between scan and copy is not followed, either."""
    if IS_ROOT:
        pytest.skip("root can read everything")
    (sides.etc / "sub/secret").write_text("local")
    (sides.etc / "sub/secret").chmod(0)

    with pytest.raises(SysrootError, match=r"^During /etc merge: sub/secret: Permission denied"):
        sides.merge()
