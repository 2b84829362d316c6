"""Initrds that are appended to a deployment's own."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from ostree.errors import ChecksumError, SysrootError
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions
from ostree.sysroot.overlay_initrds import install_overlays, stage_overlays
from ostree.system.files import open_directory

if TYPE_CHECKING:
    from pathlib import Path

    from unit.sysroot.conftest import Lab

OVERLAYS = "boot/ostree/initramfs-overlays"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two initrds."""
    found = []
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"initrd {name}")
        found.append(tmp_path / name)
    return found


def checksum_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def deploy(lab: Lab, *overlays: Path) -> None:
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os", overlay_initrds=overlays)


def installed(lab: Lab) -> list[str]:
    return sorted(path.name for path in (lab.root / OVERLAYS).iterdir())


def initrds(lab: Lab) -> list[list[str]]:
    """The overlays of each boot entry, the default first."""
    with lab.open() as sysroot:
        return [d.entry.overlay_initrds for d in sysroot.deployments]


def test_they_are_installed_and_named_in_order(lab: Lab, files: list[Path]) -> None:
    lab.commit()
    one, two = (checksum_of(path) for path in files)

    deploy(lab, files[1], files[0], files[1])

    assert initrds(lab) == [[f"/ostree/initramfs-overlays/{c}.img" for c in (two, one, two)]]
    assert (lab.root / OVERLAYS / f"{one}.img").read_text() == "initrd one"
    assert (lab.root / OVERLAYS / f"{one}.img").stat().st_mode & 0o7777 == 0o600
    assert (lab.run / "ostree/staged-initrds" / two).read_text() == "initrd two"


def test_the_next_deployment_has_none_and_the_last_use_removes_them(
    lab: Lab, files: list[Path]
) -> None:
    lab.commit()
    deploy(lab, files[0])
    deploy(lab)
    assert [len(overlays) for overlays in initrds(lab)] == [0, 1]
    assert len(installed(lab)) == 1

    deploy(lab)

    assert installed(lab) == []


def test_other_overlays_need_another_boot_configuration(lab: Lab, files: list[Path]) -> None:
    """Even if nothing else differs; the same ones do not."""
    lab.commit()
    deploy(lab, files[0])
    deploy(lab, files[0])
    lab.lines.clear()

    deploy(lab, files[0])
    deploy(lab, files[1])

    swaps = [line.split("; ")[1] for line in lab.lines if "bootconfig swap" in line]
    assert swaps == ["bootconfig swap: no", "bootconfig swap: yes"]


def test_new_arguments_leave_them(lab: Lab, files: list[Path]) -> None:
    lab.commit()
    deploy(lab, files[0])
    before = initrds(lab)

    with lab.open() as sysroot:
        sysroot.set_kernel_arguments(KernelArgumentOptions(append=["x"]))

    assert initrds(lab) == before


def test_without_an_initramfs_there_are_none(lab: Lab, files: list[Path]) -> None:
    (lab.tree / "usr/lib/modules/5.1/initramfs.img").unlink()
    lab.commit()

    deploy(lab, files[0])

    assert initrds(lab) == [[]]
    assert not (lab.root / OVERLAYS).exists()


def test_bootprefix_is_put_in_front(lab: Lab, files: list[Path]) -> None:
    lab.commit()
    deploy(lab)
    with lab.open() as sysroot:
        keyfile = sysroot.repo.config.keyfile.copy()
        keyfile.set_string("sysroot", "bootprefix", "true")
        sysroot.repo.save_config(keyfile)

    deploy(lab, files[0])

    checksum = checksum_of(files[0])
    assert initrds(lab)[0] == [f"/boot/ostree/initramfs-overlays/{checksum}.img"]
    assert installed(lab) == [f"{checksum}.img"]


def test_files_that_there_are_not(lab: Lab, tmp_path: Path) -> None:
    lab.commit()

    for path, message in (
        (tmp_path / "nope", f"openat({tmp_path}/nope): No such file or directory"),
        (tmp_path, f"Copying {tmp_path}: Is a directory"),
    ):
        with pytest.raises(SysrootError) as error:
            deploy(lab, path)
        assert str(error.value) == message
    assert lab.names() == []


def test_what_was_staged_is_checked_before_it_is_installed(lab: Lab, files: list[Path]) -> None:
    (checksum,) = stage_overlays(files[:1], str(lab.run))
    root_fd = open_directory(lab.root)
    (lab.run / "ostree/staged-initrds" / checksum).write_text("something else")

    try:
        with pytest.raises(ChecksumError, match="Corrupted overlay initrd"):
            install_overlays([f"/x/{checksum}.img"], str(lab.run), root_fd)
        (lab.run / "ostree/staged-initrds" / checksum).unlink()
        with pytest.raises(SysrootError, match="No such file or directory"):
            install_overlays([f"/x/{checksum}.img"], str(lab.run), root_fd)
    finally:
        os.close(root_fd)
    assert installed(lab) == []
