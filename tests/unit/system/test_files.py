"""Files relative to descriptors: replaced in one step, removed without following links."""

from __future__ import annotations

import errno
import os
import resource
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from ostree.system import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def here(tmp_path: Path) -> Iterator[int]:
    fd = files.open_directory(tmp_path)
    yield fd
    os.close(fd)


def names(path: Path) -> list[str]:
    return sorted(os.listdir(path))


def test_a_replaced_file_is_the_old_one_or_the_new_one(here: int, tmp_path: Path) -> None:
    """A reader beside many replacements never sees a mixture, a part, or nothing."""
    versions = [bytes([65 + number]) * 20000 for number in range(8)]
    files.replace_file("f", versions[0], here, sync=False)
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add((tmp_path / "f").read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(150):
            files.replace_file("f", versions[number % 8], here, sync=False)
    finally:
        done.set()
        reader.join()

    assert seen <= set(versions)
    assert names(tmp_path) == ["f"]


def test_the_mode_of_a_replaced_file_is_exact(here: int, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        files.replace_file("f", b"1", here)
        files.replace_file("g", b"2", here, mode=0o600)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "g").stat().st_mode) == 0o600


def test_a_link_that_is_replaced_is_not_followed(here: int, tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / "f").symlink_to("target")

    files.replace_file("f", b"new", here)

    assert (tmp_path / "target").read_bytes() == b"kept"
    assert not (tmp_path / "f").is_symlink()


def test_replacing_a_link_leaves_its_neighbours_alone(here: int, tmp_path: Path) -> None:
    (tmp_path / "a.tmp").write_bytes(b"somebody's")
    (tmp_path / "a").write_bytes(b"old")

    files.replace_symlink("target", "a", here)

    assert os.readlink(tmp_path / "a") == "target"
    assert (tmp_path / "a.tmp").read_bytes() == b"somebody's"
    assert names(tmp_path) == ["a", "a.tmp"]


def test_a_link_that_cannot_be_put_in_place_leaves_nothing(here: int, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    with pytest.raises(IsADirectoryError):
        files.replace_symlink("target", "a", here)

    assert names(tmp_path) == ["a"]


def test_removing_a_tree_does_not_follow_links(here: int, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"")
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/file").write_bytes(b"")
    (tree / "a/b/link").symlink_to(outside)
    (tree / "dangling").symlink_to("nowhere")
    os.mkfifo(tree / "pipe")

    assert files.remove_tree("tree", here)

    assert names(tmp_path) == ["outside"]
    assert names(outside) == ["kept"]


def test_a_link_to_a_directory_is_removed_itself(here: int, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    assert files.remove_tree("link", here)

    assert names(tmp_path) == ["real"]


def test_removing_nothing_says_so(here: int) -> None:
    assert not files.remove_tree("nothing", here)


def test_deep_trees_can_be_removed(here: int, tmp_path: Path) -> None:
    fd = os.dup(here)
    for _ in range(400):
        os.mkdir("directory-with-a-longer-name", dir_fd=fd)
        below = files.open_subdirectory(fd, "directory-with-a-longer-name")
        os.close(fd)
        fd = below
    os.close(fd)

    assert files.remove_tree("directory-with-a-longer-name", here)

    assert names(tmp_path) == []


def test_missing_parents_are_made(here: int, tmp_path: Path) -> None:
    files.make_directories("a/b/c", here)
    files.make_directories("a/b/c", here)

    assert (tmp_path / "a/b/c").is_dir()
    assert not files.make_directory("a", here)
    assert files.make_directory("z", here)


def test_a_file_is_no_parent(here: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")

    with pytest.raises(NotADirectoryError):
        files.make_directories("a/b", here)


def test_subdirectories_are_not_reached_through_links(here: int, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    with pytest.raises(NotADirectoryError):
        files.open_subdirectory(here, "link")

    os.close(files.open_directory("link", dir_fd=here))


def test_reading_stops_at_the_limit(here: int, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)

    assert files.read_file("f", here, limit=100) == b"x" * 100
    with pytest.raises(OSError, match="too large") as caught:
        files.read_file("f", here, limit=99)

    assert caught.value.errno == errno.EFBIG


def test_files_without_a_size_are_read_to_their_end(here: int) -> None:
    assert files.read_file("/proc/self/status", here).startswith(b"Name:")


def test_read_all_does_not_trust_the_hint(here: int, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789" * 1000)
    for hint in (0, 1, 9999, 10000, 10001, 50000):
        fd = os.open(tmp_path / "f", os.O_RDONLY)
        try:
            assert files.read_all(fd, hint) == b"0123456789" * 1000
        finally:
            os.close(fd)


def test_writing_goes_on_after_a_short_write(monkeypatch: pytest.MonkeyPatch) -> None:
    written = bytearray()

    def write(_fd: int, data: bytes | memoryview) -> int:
        written.extend(bytes(data[:7]))
        return min(7, len(data))

    monkeypatch.setattr(os, "write", write)

    files.write_all(99, b"0123456789" * 5)

    assert bytes(written) == b"0123456789" * 5


def test_listing_is_sorted_and_empty_for_nothing(here: int, tmp_path: Path) -> None:
    for name in ("b", "a", "C"):
        (tmp_path / name).mkdir()

    assert files.list_directory(".", here) == ["C", "a", "b"]
    assert files.list_directory("nothing", here) == []


def test_walking_names_all_that_is_no_directory(here: int, tmp_path: Path) -> None:
    (tmp_path / "t/sub/deep").mkdir(parents=True)
    (tmp_path / "t/z").write_bytes(b"")
    (tmp_path / "t/sub/link").symlink_to("..")
    (tmp_path / "t/sub/deep/x").write_bytes(b"")

    assert list(files.walk_files("t", here)) == ["sub/deep/x", "sub/link", "z"]


def test_a_dangling_link_exists(here: int, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")

    assert files.exists("link", here)
    assert not files.exists("nowhere", here)


def test_errors_are_described_in_upstreams_words() -> None:
    error = FileNotFoundError(errno.ENOENT, "whatever")

    assert files.describe("openat(x)", error) == "openat(x): No such file or directory"


def test_the_file_system_can_be_synced(here: int) -> None:
    files.sync_filesystem(here)

    with pytest.raises(OSError, match="Bad file descriptor"):
        files.sync_filesystem(-1)


def test_a_deep_tree_goes_without_recursion(here: int) -> None:
    """Deeper than the interpreter's stack, as a hostile commit may have it."""
    depth = 1500
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limits[1]), limits[1]))
    fd = os.dup(here)
    try:
        for _ in range(depth):
            os.mkdir("d", dir_fd=fd)
            below = files.open_subdirectory(fd, "d")
            os.close(fd)
            fd = below

        assert files.remove_tree("d", here)
    finally:
        os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert not files.exists("d", here)
