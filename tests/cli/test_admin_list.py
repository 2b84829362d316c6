"""``admin set-default``, ``cleanup``, ``config-diff`` and the changes of kernel arguments."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from cli.admin_lab import AdminLab
from cli.running import fail, misuse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> AdminLab:
    """A sysroot with the deployments 2 and 1."""
    lab = AdminLab(tmp_path)
    lab.deploy("--karg=root=X", "--karg=quiet")
    lab.commit(2)
    lab.deploy()
    return lab


def test_another_default(lab: AdminLab) -> None:
    out = lab.admin("set-default", "1")

    assert out.endswith("deployment count change: 0\n")
    assert lab.versions() == ["1", "2"]
    assert lab.admin("set-default", "0") == ""
    assert lab.versions() == ["1", "2"]


def test_defaults_that_there_are_not(lab: AdminLab) -> None:
    assert misuse("admin", "set-default", lab.option) == "error: INDEX must be specified"
    assert fail("admin", "set-default", lab.option, "x") == "error: Invalid index: x"
    assert fail("admin", "set-default", lab.option, "2") == (
        "error: Out of range deployment index 2, expected < 2"
    )


def test_cleanup_removes_what_nothing_needs(lab: AdminLab) -> None:
    stray = lab.root / f"ostree/deploy/os/deploy/{'a' * 64}.0"
    stray.mkdir()

    assert lab.admin("cleanup") == ""

    assert not stray.exists()
    assert lab.versions() == ["2", "1"]


def test_changes_of_the_configuration(lab: AdminLab) -> None:
    etc = next(
        path
        for path in lab.root.glob("ostree/deploy/os/deploy/*/etc")
        if str(path.parent) == lab.admin("status", "--print-current-dir").strip()
    )
    assert lab.admin("config-diff", "--os=os") == ""

    (etc / "conf").write_text("local\n")
    (etc / "new").mkdir()
    (etc / "new/file").write_text("")

    assert lab.admin("config-diff", "--os=os") == "M    conf\nA    new\nA    new/file\n"
    (etc / "conf").unlink()
    assert lab.admin("config-diff", "--os=os").startswith("D    conf\n")
    shutil.rmtree(etc)
    assert fail("admin", "config-diff", lab.option, "--os=os").endswith("No such file or directory")


def test_configurations_that_there_are_not(lab: AdminLab) -> None:
    assert fail("admin", "config-diff", lab.option) == (
        "error: Not currently booted into an OSTree system and no --os= argument given"
    )
    assert fail("admin", "config-diff", lab.option, "--os=nope") == (
        "error: No deployment for OS 'nope'"
    )


def test_kernel_arguments_are_set(lab: AdminLab) -> None:
    """Those of the first deployment; the others keep theirs."""
    lab.admin("instutil", "set-kargs", "a=1", "b")
    assert lab.options() == [["a=1", "b"], ["root=X", "quiet"]]

    out = lab.admin("instutil", "set-kargs", "--merge", "--replace=a=2", "--append=c", "d")
    again = lab.admin("instutil", "set-kargs", "--merge")

    assert "bootconfig swap: yes" in out
    assert "bootconfig swap: no" in again
    assert lab.options() == [["a=2", "b", "c", "d"], ["root=X", "quiet"]]


def test_kernel_arguments_that_look_like_options(lab: AdminLab) -> None:
    """Upstream throws away what follows the dashes."""
    lab.admin("instutil", "set-kargs", "--merge", "--", "-x", "--merge")

    assert lab.options()[0] == ["root=X", "quiet", "-x", "--merge"]


def test_kernel_arguments_of_the_running_kernel(lab: AdminLab) -> None:
    lab.admin("instutil", "set-kargs", "--merge", "--import-proc-cmdline", "last")

    words = lab.options()[0]
    assert words[-1] == "last"
    assert "quiet" not in words or "root=X" not in words


def test_kernel_arguments_are_added_in_place(lab: AdminLab) -> None:
    """To all deployments, in the files that are there, without a swap."""
    bootversion = (lab.root / "boot/loader").readlink()

    assert lab.admin("kargs", "edit-in-place", "--append-if-missing=quiet=no", "word") == ""
    assert lab.options() == [["root=X", "quiet"], ["root=X", "quiet"]]
    lab.admin("kargs", "edit-in-place", "--append-if-missing=k=1", "--append-if-missing=k=2")

    assert lab.options() == [["root=X", "quiet", "k=1"]] * 2
    assert (lab.root / "boot/loader").readlink() == bootversion


def test_the_file_that_was_read_is_written(lab: AdminLab) -> None:
    """Whatever its name, or there would be two entries of one deployment."""
    entries = lab.root / "boot/loader/entries"
    (entries / "ostree-2.conf").rename(entries / "ostree-2-os+2-1.conf")

    lab.admin("kargs", "edit-in-place", "--append-if-missing=k")

    assert sorted(path.name for path in entries.iterdir()) == [
        "ostree-1.conf",
        "ostree-2-os+2-1.conf",
    ]
    assert lab.options() == [["root=X", "quiet", "k"]] * 2


def test_no_deployments_to_change(tmp_path: Path) -> None:
    lab = AdminLab(tmp_path)
    message = "error: Unable to find a deployment in sysroot"

    assert fail("admin", "instutil", "set-kargs", lab.option, "a") == message
    assert fail("admin", "kargs", "edit-in-place", lab.option, "--append-if-missing=a") == message


@pytest.mark.parametrize("argument", ['"a\nb"', '"a\rb"'])
def test_arguments_are_one_line(lab: AdminLab, argument: str) -> None:
    message = "error: Kernel arguments must not contain line breaks"

    assert fail("admin", "instutil", "set-kargs", lab.option, argument) == message
    assert (
        fail("admin", "kargs", "edit-in-place", lab.option, f"--append-if-missing={argument}")
        == message
    )


@pytest.mark.parametrize("group", ["kargs", "instutil"])
def test_groups_without_a_command(group: str, lab: AdminLab) -> None:
    from cli.running import ostree

    for words, message in (
        ((), f'error: No "admin {group}" subcommand specified\n'),
        (("x",), f"error: Unknown \"admin {group}\" subcommand 'x'\n"),
    ):
        result = ostree("admin", group, *words)
        assert result.status == 1
        assert result.err.startswith(f"Usage:\n  ostree admin {group} [OPTION…] COMMAND\n")
        assert result.err.endswith(message)
