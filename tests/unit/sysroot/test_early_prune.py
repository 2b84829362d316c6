"""A /boot that has no room for another kernel beside those of deployments that go anyway."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.sysroot import early_prune, view
from ostree.sysroot.early_prune import read_boot_space
from ostree.sysroot.loading import BootedFacts
from ostree.sysroot.room import BOOT_RESERVE, Room

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab


def deploy(lab: Lab, kernel: str) -> None:
    """A deployment with a kernel of its own; the one before stays."""
    lab.write("usr/lib/modules/5.1/vmlinuz", kernel)
    lab.write("usr/data", kernel)
    lab.commit()
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")


def kernels(lab: Lab) -> set[str]:
    """What the kernels in ``/boot`` contain."""
    return {path.read_text() for path in lab.root.glob("boot/ostree/*/vmlinuz-5.1")}


@pytest.fixture
def booted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The second of two deployments is running, and its /boot is a file system of its own."""
    deploy(lab, "running")
    with lab.open() as sysroot:
        info = os.stat(lab.root / sysroot.deployments[0].path)
    deploy(lab, "pending")
    facts = BootedFacts(info.st_dev, info.st_ino)
    monkeypatch.setattr(view, "read_booted_facts", lambda _root, _run: facts)
    monkeypatch.setattr(early_prune, "is_apart", lambda _root, _repo: True)
    lab.lines.clear()
    return lab


def written_lists(lab: Lab) -> list[str]:
    return [line.rpartition(": ")[2] for line in lab.lines if line.startswith("Bootloader")]


def test_kernels_go_before_the_new_one_comes(booted: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a switch of its own, after which what runs is still in the list."""
    seen: list[set[str]] = []

    def fits(_root_fd: int, size: int) -> bool:
        seen.append(kernels(booted))
        return size <= BOOT_RESERVE

    monkeypatch.setattr(early_prune, "fits_in_boot", fits)
    # What is on the same file system, as here, is freed by none of its names alone.
    monkeypatch.setattr(early_prune, "tree_usage", lambda _path, _fd: Room(1 << 20, 1))

    deploy(booted, "new")

    assert written_lists(booted) == ["-1", "1"]
    assert seen == [{"running", "pending"}]
    assert kernels(booted) == {"running", "new"}
    with booted.open() as sysroot:
        assert [d is sysroot.booted for d in sysroot.deployments] == [False, True]


@pytest.mark.parametrize("room", ["enough", "hopeless"])
def test_otherwise_there_is_one_switch(
    booted: Lab, monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    monkeypatch.setattr(early_prune, "fits_in_boot", lambda _root, _size: room == "enough")

    deploy(booted, "new")

    assert written_lists(booted) == ["0"]
    assert kernels(booted) == {"running", "new"}


def test_it_can_be_forbidden(booted: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_prune, "fits_in_boot", lambda _root, _size: False)
    booted.write("usr/lib/modules/5.1/vmlinuz", "new")
    booted.commit()
    with booted.open() as sysroot:
        sysroot.settings.early_prune = False
        sysroot.deploy("stable", stateroot="os")

    assert written_lists(booted) == ["0"]


def test_what_is_needed_and_removable(lab: Lab) -> None:
    deploy(lab, "first")
    deploy(lab, "second")
    fd = os.open(lab.root, os.O_RDONLY)
    with lab.open() as sysroot:
        new, old = sysroot.deployments
        there = read_boot_space(fd, [new, old], device_trees=True)
        (lab.root / "boot/ostree").rename(lab.root / "boot/elsewhere")
        missing = read_boot_space(fd, [new, old], device_trees=True)
    os.close(fd)

    assert there == (0, 0)
    assert (missing.needed % 4096, missing.needed // 4096, missing.removable) == (0, 4, 0)


def test_whether_bytes_fit(lab: Lab) -> None:
    fd = os.open(lab.root, os.O_RDONLY)
    names = set(os.listdir(lab.root / "boot"))

    fits = early_prune.fits_in_boot(fd, 1 << 16), early_prune.fits_in_boot(fd, 1 << 60)

    os.close(fd)
    assert fits == (True, False)
    assert set(os.listdir(lab.root / "boot")) == names
