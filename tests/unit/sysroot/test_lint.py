"""What is the matter with a tree, judged from facts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.events import Doubt
from ostree.sysroot.kernel import KernelFile, KernelLayout
from ostree.sysroot.lint import TreeFacts, lint, read_tree_facts
from ostree.sysroot.tree_files import DirectoryFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ostree.events import Event
    from unit.sysroot.conftest import Lab

KERNEL = KernelFile("usr/lib/modules/6/vmlinuz", "vmlinuz-6")
INITRAMFS = KernelFile("usr/lib/modules/6/initramfs.img", "initramfs-6.img")


def good() -> TreeFacts:
    facts = TreeFacts()
    facts.kernel = KernelLayout(kernel=KERNEL, initramfs=INITRAMFS)
    facts.kernels = ["6"]
    facts.os_release = {"ID": "x"}
    return facts


def test_a_tree_that_is_well() -> None:
    assert lint(good()) == []


def no_kernel(facts: TreeFacts) -> None:
    facts.kernel, facts.kernel_error = None, "Failed to find kernel"


def both_etc(facts: TreeFacts) -> None:
    facts.etc = ["passwd"]


def only_etc(facts: TreeFacts) -> None:
    facts.etc, facts.has_default_etc = ["passwd"], False


def no_os_release(facts: TreeFacts) -> None:
    facts.os_release = None


def nameless(facts: TreeFacts) -> None:
    facts.os_release = {"VERSION": "1"}


def no_default_etc(facts: TreeFacts) -> None:
    facts.has_default_etc = False


def no_sysroot(facts: TreeFacts) -> None:
    facts.has_sysroot = False


def no_link(facts: TreeFacts) -> None:
    facts.ostree = None


def other_link(facts: TreeFacts) -> None:
    facts.ostree = "elsewhere"


def two_kernels(facts: TreeFacts) -> None:
    facts.kernels = ["6", "5"]


def no_initramfs(facts: TreeFacts) -> None:
    facts.kernel, facts.has_prepare_root = KernelLayout(kernel=KERNEL), False


@pytest.mark.parametrize(
    ("change", "name", "is_error"),
    [
        (no_kernel, "kernel", True),
        (both_etc, "etc", True),
        (only_etc, "usr-etc", True),
        (no_os_release, "os-release", True),
        (nameless, "os-release", True),
        (no_default_etc, "usr-etc", False),
        (no_sysroot, "sysroot", False),
        (no_link, "ostree-link", False),
        (other_link, "ostree-link", False),
        (two_kernels, "kernels", False),
        (no_initramfs, "initramfs", False),
    ],
)
def test_each_finding(change: Callable[[TreeFacts], None], name: str, *, is_error: bool) -> None:
    facts = good()
    change(facts)

    (finding,) = lint(facts)

    assert (finding.name, finding.is_error) == (name, is_error)


def test_all_of_them_are_named() -> None:
    facts = good()
    for change in (no_kernel, nameless, no_link, no_sysroot):
        change(facts)

    assert [finding.is_error for finding in lint(facts)] == [True, True, False, False]


def test_an_empty_etc_is_none() -> None:
    facts = good()
    facts.etc = []

    assert lint(facts) == []


def test_what_a_tree_says(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/modules/6").mkdir(parents=True)
    (tmp_path / "usr/lib/modules/6/vmlinuz").touch()
    (tmp_path / "usr/etc").mkdir()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/x").touch()
    (tmp_path / "ostree").symlink_to("/sysroot/ostree")
    fd = os.open(tmp_path, os.O_RDONLY)

    facts = read_tree_facts(DirectoryFiles(fd), {"ID": "x"}, device_trees=True)

    os.close(fd)
    names = [(finding.name, finding.is_error) for finding in lint(facts)]
    assert names == [("etc", True), ("sysroot", False), ("initramfs", False)]


def test_before_anything_is_written(lab: Lab) -> None:
    """Errors refuse the deployment, doubts are told, and nothing is there that was not."""
    (lab.tree / "usr/lib/modules/5.1/vmlinuz").unlink()
    (lab.tree / "usr/lib/os-release").unlink()
    lab.commit()
    doubts: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Doubt):
            doubts.append(event.text)

    with lab.open() as sysroot:
        sysroot._on_event = listen
        with pytest.raises(SysrootError) as caught:
            sysroot.deploy("stable", stateroot="os")

    assert str(caught.value) == (
        "Failed to find kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot; "
        "No such file or directory: /etc/os-release"
    )
    assert os.listdir(lab.root / "ostree/deploy/os") == ["var"]
    lab.write("usr/lib/modules/5.1/vmlinuz", "kernel")
    lab.write("usr/lib/os-release", "ID=x\n")
    lab.commit()
    with lab.open() as sysroot:
        sysroot._on_event = listen
        sysroot.deploy("stable", stateroot="os")
        sysroot.deploy("stable", stateroot="os", lint=False)
    assert [text.split(":")[0] for text in doubts] == [
        "There is no directory /sysroot",
        "There is no link /ostree",
    ]
