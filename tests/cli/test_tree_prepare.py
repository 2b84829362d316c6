"""``ostree tree prepare``: what it prints, and what it refuses."""

from __future__ import annotations

import json
import os
import py_compile
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed
from support.draft_trees import SYSTEMD, Contents, snapshot, write_tree

if TYPE_CHECKING:
    from pathlib import Path

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
VERSION_DIRECTORY = f"usr/lib/{VERSION}"

PLAIN: Contents = {
    **SYSTEMD,
    "bin/sh": "shell",
    "lib/modules/6.1/x.ko": "module",
    "boot/vmlinuz-6.1": "kernel",
    "boot/initrd.img-6.1": "ramdisk",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "var/lib/app/data": "data",
    "usr/lib/os-release": "ID=os\n",
    "proc": None,
}


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "rootfs", PLAIN)


def test_it_says_what_it_does_and_then_that_nothing_is_left(rootfs: Path) -> None:
    planned = succeed("tree", "prepare", "--dry-run", rootfs)
    before = snapshot(rootfs)

    done = succeed("tree", "prepare", rootfs)

    assert done == planned
    assert snapshot(rootfs) != before
    assert (rootfs / "usr/lib/modules/6.1/initramfs.img").read_text() == "ramdisk"
    assert os.readlink(rootfs / "ostree") == "sysroot/ostree"
    assert succeed("tree", "prepare", rootfs) == "Nothing to do\n"


def test_a_dry_run_changes_nothing(rootfs: Path) -> None:
    before = snapshot(rootfs)

    out = succeed("tree", "prepare", "--dry-run", rootfs)

    assert "Move /etc to /usr/etc\n" in out
    assert snapshot(rootfs) == before


def test_the_result_as_json(rootfs: Path) -> None:
    first = json.loads(succeed("tree", "prepare", "--json", rootfs))
    second = json.loads(succeed("tree", "prepare", "--json", rootfs))

    assert first["changed"] is True
    assert {"action": "move", "path": "/etc", "target": "/usr/etc"} in first["steps"]
    assert (second["changed"], second["steps"]) == (False, [])


def test_names_that_are_not_utf8(rootfs: Path) -> None:
    os.mkdir(os.fsencode(rootfs) + b"/bin/\xff")
    (rootfs / "usr/bin").mkdir(exist_ok=True)

    document = json.loads(succeed("tree", "prepare", "--json", rootfs))

    (step,) = (s for s in document["steps"] if "path_base64" in s)
    assert step["path"] == r"/bin/\xff"
    assert os.path.isdir(os.fsencode(rootfs) + b"/usr/bin/\xff")


def test_nothing_changes_where_something_is_in_the_way(rootfs: Path) -> None:
    (rootfs / "usr/bin/sh").write_text("another shell")
    before = snapshot(rootfs)

    message = fail("tree", "prepare", rootfs)

    assert message == (
        f"error: Preparing {rootfs}: /bin/sh and /usr/bin/sh differ, and only one of them can stay"
    )
    assert snapshot(rootfs) == before


def test_everything_in_the_way_is_named(rootfs: Path) -> None:
    (rootfs / "usr/bin/sh").write_text("another shell")
    (rootfs / "app").write_text("program")

    result = ostree("tree", "prepare", rootfs)

    assert result.status == 1
    assert result.err.splitlines() == [
        f"error: Preparing {rootfs}: ",
        "  /bin/sh and /usr/bin/sh differ, and only one of them can stay",
        "  /app is a file in the root; move it below /usr, or keep it with --keep=app",
    ]
    assert "Move" not in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/"], "error: / is the root of the running system"),
        (["nowhere"], "error: opendir(nowhere): No such file or directory"),
        (["--var=x", "."], "error: Invalid --var 'x': it is one of auto, tmpfiles, template"),
        (["--var-files=x", "."], "error: Invalid --var-files 'x': it is one of factory, refuse"),
        (["--owner-uid=-2", "."], "error: Invalid --owner-uid '-2'"),
    ],
)
def test_what_it_cannot_work_on(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert fail("tree", "prepare", *arguments) == message


def test_a_tree_has_to_be_named() -> None:
    assert misuse("tree", "prepare") == "error: ROOTFS must be specified"


@pytest.mark.parametrize(
    "link",
    [
        *("usr", "usr/bin", "usr/lib", "usr/etc", "usr/lib/modules", "usr/lib/modules/6.1"),
        *("usr/lib/tmpfiles.d", "usr/share", "usr/share/factory", "usr/lib/opt", VERSION_DIRECTORY),
        *("bin", "lib", "etc", "boot", "var", "var/lib", "var/home", "home", "root", "opt", "srv"),
        *("mnt", "media", "dev", "proc", "run", "sys", "sysroot", "tmp", "ostree", "usr/local"),
        *("lost+found", f"{VERSION_DIRECTORY}/__pycache__", "usr/lib/ostree-boot"),
    ],
)
@pytest.mark.parametrize("target", ["absolute", "relative"])
def test_links_lead_nobody_out_of_the_tree(link: str, target: str, tmp_path: Path) -> None:
    """Whether the tree is refused or prepared: nothing outside of it is read into it or changed."""
    outside = write_tree(
        tmp_path / "outside", {"keep": "kept", "m.py": "X = 1\n", "vmlinuz-6.1": "secret"}
    )
    before = snapshot(outside)
    inside = {
        path: content
        for path, content in {**PLAIN, f"{VERSION_DIRECTORY}/m.py": "X = 1\n"}.items()
        if path != link and not path.startswith(f"{link}/")
    }
    where = str(outside) if target == "absolute" else "../" * link.count("/") + "../outside"
    rootfs = write_tree(tmp_path / "rootfs", {**inside, link: f"-> {where}"})

    result = ostree("tree", "prepare", "--usr-local-state", "--compile-python", rootfs)

    assert result.status in {0, 1}
    assert snapshot(outside) == before
    assert "secret" not in {entry[3] for entry in snapshot(rootfs).values()}


def test_units_of_ours_are_what_install_units_puts_there(rootfs: Path, tmp_path: Path) -> None:
    write_tree(rootfs, {"usr/lib/systemd/systemd": "systemd", "usr/bin/ostree": "command"})
    (tmp_path / "units").mkdir()
    paths = succeed("admin", "install-units", f"--destdir={tmp_path}/units").splitlines()

    succeed("tree", "prepare", rootfs)

    ours, theirs = snapshot(rootfs), snapshot(tmp_path / "units")
    assert paths
    assert {path: ours[path] for path in paths} == {path: theirs[path] for path in paths}
    assert succeed("tree", "prepare", rootfs) == "Nothing to do\n"


# byte code ------------------------------------------------------------------------------------


def test_python_is_compiled_for_deployments(rootfs: Path) -> None:
    """The byte code is used although the time of the source is another; but not if it is stale."""
    modules = f"usr/lib/{VERSION}"
    write_tree(rootfs, {f"{modules}/good.py": "X = 1\n", f"{modules}/bad.py": "print 'two'\n"})
    source = rootfs / modules / "good.py"
    py_compile.compile(str(source), doraise=True)

    out = succeed("tree", "prepare", "--compile-python", rootfs)

    assert f"Compile 1 Python files in /{modules} with {sys.executable}\n" in out
    cached = rootfs / modules / "__pycache__" / f"good.{sys.implementation.cache_tag}.pyc"
    assert cached.read_bytes()[4:8] == b"\x01\0\0\0"
    assert succeed("tree", "prepare", "--compile-python", rootfs) == "Nothing to do\n"
    source.write_text("X = 2\n")
    assert "Compile 1" in succeed("tree", "prepare", "--compile-python", rootfs)
    os.utime(source, (0, 0))
    program = "import sys; sys.path[:] = [sys.argv[1]]; import good; print(good.X, good.__file__)"
    before = cached.stat().st_mtime_ns
    seen = subprocess.run(
        [sys.executable, "-S", "-c", program, rootfs / modules],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert seen.startswith("2 ")
    assert cached.stat().st_mtime_ns == before


def test_another_python_than_is_here_is_named(rootfs: Path) -> None:
    write_tree(rootfs, {"usr/lib/python3.999/x.py": "X = 1\n"})

    assert fail("tree", "prepare", "--compile-python", rootfs) == (
        "error: The tree has Python 3.999: compiling its modules needs python3.999 here"
    )
