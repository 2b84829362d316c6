"""``ostree checkout``."""

from __future__ import annotations

import filecmp
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare
    from conftest import Oracle

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def test_a_tree_comes_out_as_it_went_in(repo: Path, tree: Path, tmp_path: Path) -> None:
    assert succeed("checkout", f"--repo={repo}", "-U", "main", tmp_path / "out") == ""

    comparison = filecmp.dircmp(tree, tmp_path / "out")
    assert comparison.left_only == comparison.right_only == comparison.diff_files == []
    assert os.readlink(tmp_path / "out" / "link") == "hello.txt"


def test_the_destination_is_called_like_the_revision(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)

    succeed("checkout", f"--repo={repo}", "-U", "main")

    assert (place / "main" / "hello.txt").read_text() == "hello\n"


def test_a_part_of_the_tree(repo: Path, tmp_path: Path) -> None:
    succeed("checkout", f"--repo={repo}", "-U", "--subpath=/bin", "main", tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["run.sh"]


def test_an_existing_destination_needs_a_union(repo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "hello.txt").write_text("mine\n")

    refused = fail("checkout", f"--repo={repo}", "-U", "main", out)
    succeed("checkout", f"--repo={repo}", "-U", "--union-add", "main", out)
    kept = (out / "hello.txt").read_text()
    succeed("checkout", f"--repo={repo}", "-U", "--union", "main", out)

    assert refused == "error: mkdirat: File exists"
    assert kept == "mine\n"
    assert (out / "hello.txt").read_text() == "hello\n"


def test_usage_errors(repo: Path) -> None:
    assert misuse("checkout", f"--repo={repo}") == "error: COMMIT must be specified"


@pytest.mark.parametrize("option", ["--composefs", "--composefs-noverity"])
def test_images_are_what_a_build_without_composefs_says(option: str, repo: Path) -> None:
    plain = fail("checkout", f"--repo={repo}", option, "main", repo.parent / "image")
    mixed = fail("checkout", f"--repo={repo}", option, "-C", "main", repo.parent / "image")

    assert plain == "error: composefs is not supported in this ostree build"
    assert mixed == "error: Specified options are incompatible with --composefs"


def test_many_checkouts_from_a_file(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"main\0/bin\0main\0/hello.txt\0")
    out = tmp_path / "out"

    succeed("checkout", f"--repo={repo}", "-U", "--union", f"--from-file={tmp_path / 'list'}", out)

    assert sorted(path.name for path in out.iterdir()) == ["hello.txt", "run.sh"]


def test_each_checkout_of_standard_input_is_done_as_it_arrives(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program may write the next pair when it has seen the result of the last one."""
    out = tmp_path / "out"
    reader, writer = os.pipe()

    def ask() -> None:
        os.write(writer, b"main\0/bin\0")
        while not (out / "run.sh").exists():
            time.sleep(0.01)
        os.write(writer, b"main\0/hello.txt\0")
        os.close(writer)

    thread = threading.Thread(target=ask)
    thread.start()
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        succeed("checkout", f"--repo={repo}", "-U", "--union", "--from-stdin", out)
    thread.join()

    assert sorted(path.name for path in out.iterdir()) == ["hello.txt", "run.sh"]


def test_the_skip_list_names_directories_with_a_slash(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("/bin/\n/hello.txt\n/sub\n")
    out = tmp_path / "out"

    succeed("checkout", f"--repo={repo}", "-U", f"--skip-list={tmp_path / 'list'}", "main", out)

    assert sorted(path.name for path in out.iterdir()) == ["dangling", "link", "sub"]


def test_options_of_the_new_kind_do_without_the_cache(repo: Path, tmp_path: Path) -> None:
    cache = repo / "uncompressed-objects-cache"

    succeed("checkout", f"--repo={repo}", "-U", "--disable-cache", "main", tmp_path / "one")
    succeed("checkout", f"--repo={repo}", "-U", "-z", "main", tmp_path / "two")
    succeed("checkout", f"--repo={repo}", "-U", "--union-add", "main", tmp_path / "three")
    without = cache.exists()
    succeed("checkout", f"--repo={repo}", "-U", "--union", "main", tmp_path / "four")

    assert not without
    assert (tmp_path / "four/hello.txt").stat().st_nlink == 2
    assert (tmp_path / "one/hello.txt").stat().st_nlink == 1


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "--union --union-add main x",
        "--union --union-identical main x",
        "--union-add --union-identical main x",
        "-H -C main x",
        "--union-identical main x",
        "--fsync=zz main x",
        "--subpath=/nope main x",
        "nope x",
    ],
)
def test_messages_are_the_references(
    words: str, repo: Path, compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    compare("checkout", f"--repo={repo}", *words.split())


@pytest.mark.oracle
@needs_root
@pytest.mark.parametrize("options", [[], ["-U"], ["-C"], ["-M"], ["-UC", "--subpath=sub"]])
def test_the_result_is_the_references(
    options: list[str], repo: Path, tmp_path: Path, oracle: Oracle
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"

    succeed("checkout", f"--repo={repo}", *options, "main", ours)
    oracle("checkout", f"--repo={repo}", *options, "main", theirs)

    times = "-C" not in options and "-UC" not in options
    assert description(ours, times=times) == description(theirs, times=times)


def description(root: Path, *, times: bool) -> list[tuple[object, ...]]:
    """Everything a checkout decides; of times only those of directories, unless it copies."""
    found: list[tuple[object, ...]] = []
    for path in (root, *sorted(root.rglob("*"))):
        info = path.lstat()
        content = None
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = path.read_text()
        is_directory = path.is_dir() and not path.is_symlink()
        time = info.st_mtime if times and is_directory else None
        name = str(path.relative_to(root))
        found.append((name, info.st_mode, info.st_uid, info.st_gid, content, time))
    return found
