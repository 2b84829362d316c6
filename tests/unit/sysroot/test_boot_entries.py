"""Boot entries over several deployments: their names, counters, extra keys and prefixes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError, SysrootError
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions

if TYPE_CHECKING:
    from pathlib import Path

    from unit.sysroot.conftest import Lab


def configure(lab: Lab, key: str, value: str) -> None:
    """Set it by hand: nobody checks what it is."""
    path = lab.root / "ostree/repo/config"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{key}=")]
    if "[sysroot]" not in lines:
        lines.append("[sysroot]")
    lines.insert(lines.index("[sysroot]") + 1, f"{key}={value}")
    path.write_text("\n".join(lines) + "\n")


def deploy(lab: Lab, version: str) -> None:
    lab.commit(version=version)
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")


def directory(lab: Lab) -> Path:
    return lab.root / "boot/loader/entries"


def rename(lab: Lab, old: str, new: str) -> None:
    """What a boot loader does that counts."""
    os.rename(directory(lab) / old, directory(lab) / new)


def text_of(lab: Lab, name: str) -> str:
    return (directory(lab) / name).read_text()


# boot counting -----------------------------------------------------------------------------------


def test_a_new_entry_has_all_its_tries(lab: Lab) -> None:
    configure(lab, "boot-counting-tries", "3")

    deploy(lab, "1")

    assert lab.entries() == ["ostree-1+3.conf"]


def test_counters_survive_the_next_deployment(lab: Lab) -> None:
    """What was written as ``+3`` is read as three left and none done."""
    configure(lab, "boot-counting-tries", "3")
    deploy(lab, "1")
    deploy(lab, "2")
    assert lab.entries() == ["ostree-1+3-0.conf", "ostree-2+3.conf"]

    rename(lab, "ostree-2+3.conf", "ostree-2+2-1.conf")
    deploy(lab, "3")

    assert lab.entries() == ["ostree-1+2-1.conf", "ostree-2+3.conf"]


def test_an_entry_that_was_blessed_is_not_counted_again(lab: Lab) -> None:
    configure(lab, "boot-counting-tries", "3")
    deploy(lab, "1")
    rename(lab, "ostree-1+3.conf", "ostree-1.conf")

    deploy(lab, "2")

    assert lab.entries() == ["ostree-1.conf", "ostree-2+3.conf"]


def test_an_entry_that_failed_stays_bad(lab: Lab) -> None:
    configure(lab, "boot-counting-tries", "3")
    deploy(lab, "1")
    rename(lab, "ostree-1+3.conf", "ostree-1+0-3.conf")

    deploy(lab, "2")

    assert lab.entries() == ["ostree-1+0-3.conf", "ostree-2+3.conf"]


def test_other_arguments_end_the_counting(lab: Lab) -> None:
    configure(lab, "boot-counting-tries", "3")
    deploy(lab, "1")

    with lab.open() as sysroot:
        sysroot.set_kernel_arguments(KernelArgumentOptions(append=["x"]), merge=True)

    assert lab.entries() == ["ostree-1.conf"]


def test_counters_go_when_nobody_counts_any_more(lab: Lab) -> None:
    configure(lab, "boot-counting-tries", "3")
    deploy(lab, "1")
    configure(lab, "boot-counting-tries", "0")

    deploy(lab, "2")

    assert lab.entries() == ["ostree-1.conf", "ostree-2.conf"]


def test_entries_from_before_counting_are_good(lab: Lab) -> None:
    deploy(lab, "1")
    configure(lab, "boot-counting-tries", "5")

    deploy(lab, "2")

    assert lab.entries() == ["ostree-1.conf", "ostree-2+5.conf"]


@pytest.mark.parametrize("value", ["6", "-1", "x", "", "03"])
def test_how_many_tries_there_can_be(lab: Lab, value: str) -> None:
    lab.commit()
    configure(lab, "boot-counting-tries", value)

    if value == "":
        deploy(lab, "1")
        assert lab.entries() == ["ostree-1.conf"]
        return
    with (
        lab.open() as sysroot,
        pytest.raises(SysrootError, match=r"Parsing sysroot\.boot-counting-tries: "),
    ):
        sysroot.deploy("stable", stateroot="os")


# names -------------------------------------------------------------------------------------------


def test_names_of_before_2024(lab: Lab) -> None:
    lab.commit()
    with lab.open() as sysroot:
        sysroot.settings.old_entry_names = True
        sysroot.deploy("stable", stateroot="os")
    assert lab.entries() == ["ostree-1-os.conf"]

    deploy(lab, "2")

    assert lab.entries() == ["ostree-1.conf", "ostree-2.conf"]
    assert len(lab.names()) == 2


# extra keys --------------------------------------------------------------------------------------


def test_extra_keys_are_for_all_but_the_default_and_stay(lab: Lab) -> None:
    configure(lab, "bls-append-except-default", "grub_users=nobody;x-y=a b")
    deploy(lab, "1")
    assert "grub_users" not in text_of(lab, "ostree-1.conf")

    deploy(lab, "2")
    assert "grub_users nobody\n" in text_of(lab, "ostree-1.conf")
    assert "grub_users" not in text_of(lab, "ostree-2.conf")

    with lab.open() as sysroot:
        sysroot.undeploy(0)
    assert "x-y a b\n" in text_of(lab, "ostree-1.conf")


@pytest.mark.parametrize("value", ["x", "=y", "a=1;b"])
def test_extra_keys_that_are_none(lab: Lab, value: str) -> None:
    lab.commit()
    configure(lab, "bls-append-except-default", value)

    with lab.open() as sysroot, pytest.raises(FormatError, match=r"must be of the form"):
        sysroot.deploy("stable", stateroot="os")


def test_keys_of_others_stay(lab: Lab) -> None:
    deploy(lab, "1")
    path = directory(lab) / "ostree-1.conf"
    path.write_text(path.read_text() + "architecture x64\nsort-key os\n# gone\n")

    deploy(lab, "2")

    assert text_of(lab, "ostree-1.conf").endswith("architecture x64\nsort-key os\n") or (
        text_of(lab, "ostree-1.conf").endswith("sort-key os\narchitecture x64\n")
    )
    assert "architecture" not in text_of(lab, "ostree-2.conf")


# prefixes ----------------------------------------------------------------------------------------


def test_the_prefix_of_paths(lab: Lab) -> None:
    """It can be changed; what it leads to is there, whether or not boot is a partition."""
    lab.write("usr/lib/modules/5.1/dtb/a.dtb", "dtb")
    deploy(lab, "1")
    configure(lab, "bootprefix", "true")
    deploy(lab, "2")

    for name in lab.entries():
        lines = dict(line.split(" ", 1) for line in text_of(lab, name).splitlines())
        for key in ("linux", "initrd", "fdtdir"):
            assert lines[key].startswith("/boot/ostree/os-")
            assert (lab.root / lines[key][1:]).exists()
            assert (lab.root / "boot" / lines[key][1:]).exists()
