"""A boot configuration that is damaged: a named error, the old list stays, the next run repairs."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unit.sysroot.conftest import Lab


@pytest.fixture
def deployed(lab: Lab) -> Lab:
    """Two deployments of different versions."""
    for version in ("1", "2"):
        lab.commit(version=version)
        with lab.open() as sysroot:
            sysroot.deploy("stable", stateroot="os")
    lab.commit(version="3")
    return lab


def prepare_uboot(lab: Lab) -> Path:
    (lab.root / "boot/loader/uEnv.txt").write_text("")
    return lab.root / "boot/loader/uEnv.txt"


def prepare_syslinux(lab: Lab) -> Path:
    (lab.root / "boot/syslinux").mkdir()
    (lab.root / "boot/syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
    (lab.root / "boot/loader/syslinux.cfg").write_text("")
    return lab.root / "boot/loader/syslinux.cfg"


def active(lab: Lab) -> dict[str, object]:
    """What is booted, down to the bytes: entries, bootlinks, and the kernels they name."""
    loader = lab.root / "boot/loader"
    version = os.readlink(loader)[-1]
    bootlinks = lab.root / f"ostree/boot.{version}"
    found: dict[str, object] = {"loader": os.readlink(loader), "boot": os.readlink(bootlinks)}
    for path in sorted(loader.rglob("*")):
        if path.is_file():
            found[str(path)] = path.read_bytes()
    for path in sorted(bootlinks.resolve().rglob("*")):
        if path.is_symlink():
            assert path.is_dir()
            found[str(path)] = os.readlink(path)
    for path in (lab.root / "boot/ostree").rglob("*"):
        if path.is_file():
            found[str(path)] = path.read_bytes()
    return found


def directories(lab: Lab) -> list[str]:
    """The deployments on disk."""
    return sorted(os.listdir(lab.root / "ostree/deploy/os/deploy"))


def deploy(lab: Lab) -> None:
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")


def check(lab: Lab, words: str, repair: Callable[[], object]) -> None:
    """Deploying fails and changes nothing that is booted; after the repair it works."""
    before = active(lab)
    for _ in range(2):
        with pytest.raises(OSTreeError, match=words):
            deploy(lab)
        assert active(lab) == before

    repair()
    deploy(lab)

    with lab.open() as sysroot:
        assert sysroot.version_of(sysroot.deployments[0]) == "3"
        sysroot.cleanup()


@pytest.mark.parametrize("content", [b"\xff", b"x" * ((1 << 20) + 1)])
def test_uenv(deployed: Lab, content: bytes) -> None:
    path = prepare_uboot(deployed)
    path.write_bytes(content)

    check(
        deployed,
        "Bootloader write config: boot/loader/uEnv.txt: .*(UTF-8|larger)",
        lambda: path.write_text(""),
    )


def test_uenv_of_the_new_deployment(deployed: Lab) -> None:
    prepare_uboot(deployed)
    path = deployed.tree / "usr/lib/ostree-boot/uEnv.txt"
    path.parent.mkdir()
    path.write_bytes(b"\xff")
    deployed.commit(version="3")

    def repair() -> None:
        deployed.write("usr/lib/ostree-boot/uEnv.txt", "x=1\n")
        deployed.commit(version="3")

    check(deployed, "Bootloader write config: /usr/lib/ostree-boot/uEnv.txt: Invalid UTF-8", repair)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("LABEL mine\n\tAPPEND x\n", "Bootloader write config: No KERNEL argument found"),
        (b"\xff", "Bootloader write config: boot/syslinux/syslinux.cfg: Invalid UTF-8"),
    ],
)
def test_syslinux(deployed: Lab, text: str | bytes, words: str) -> None:
    path = prepare_syslinux(deployed)
    path.write_bytes(text.encode() if isinstance(text, str) else text)

    check(deployed, words, lambda: path.write_text(""))


def test_a_dangling_syslinux_cfg(deployed: Lab) -> None:
    path = prepare_syslinux(deployed)
    path.unlink()

    check(
        deployed,
        r"openat\(boot/syslinux/syslinux.cfg\): No such file or directory",
        lambda: path.write_text(""),
    )


def test_an_entry_that_leads_nowhere(deployed: Lab) -> None:
    entry = deployed.root / "boot/loader/entries/ostree-1.conf"
    text = entry.read_text()
    entry.write_text(text.replace("/ostree/boot.", "/ostree/boot.7"))

    check(deployed, "^loading sysroot: Invalid ostree= argument", lambda: entry.write_text(text))


def test_an_entry_that_is_no_text(deployed: Lab) -> None:
    entry = deployed.root / "boot/loader/entries/ostree-1.conf"
    text = entry.read_text()
    entry.write_bytes(b"\xff")

    check(deployed, "Parsing ostree-1.conf: Invalid UTF-8", lambda: entry.write_text(text))


def test_the_entry_at_fault_is_named(deployed: Lab) -> None:
    entry = deployed.root / "boot/loader/entries/ostree-1.conf"
    entry.write_text("title no arguments\n")

    with deployed.open() as sysroot, pytest.raises(OSTreeError) as caught:
        sysroot.load()

    directory = os.readlink(deployed.root / "boot/loader")
    assert caught.value.hint == f"boot entry boot/{directory}/entries/ostree-1.conf"


def test_bootlinks_that_dangle(deployed: Lab) -> None:
    loader = os.readlink(deployed.root / "boot/loader")
    link = deployed.root / f"ostree/boot.{loader[-1]}"
    target = os.readlink(link)
    link.unlink()
    link.symlink_to(f"{target[:-1]}{1 - int(target[-1])}")

    with pytest.raises(OSTreeError, match=r"readlinkat: No such file or directory"):
        deploy(deployed)
    link.unlink()
    link.symlink_to(target)
    deploy(deployed)


@pytest.mark.parametrize("what", ["entries", "."])
def test_entries_that_are_gone_are_no_empty_list(deployed: Lab, what: str) -> None:
    """Else the next cleanup would remove every deployment."""
    loader = (deployed.root / "boot/loader").resolve()
    kept = deployed.root / "kept"
    shutil.move(loader / what if what != "." else loader, kept)
    names = directories(deployed)

    for _ in range(2):
        with pytest.raises(OSTreeError, match=r"entries: No such file or directory") as caught:
            deploy(deployed)
        assert caught.value.hint is not None
        with deployed.open() as sysroot, pytest.raises(OSTreeError):
            sysroot.cleanup()
        assert directories(deployed) == names

    shutil.move(kept, loader / what if what != "." else loader)
    deploy(deployed)


def test_a_boot_that_is_not_mounted(deployed: Lab) -> None:
    """The list of bootversion 0 is active, and an empty directory says nothing of it."""
    if os.readlink(deployed.root / "boot/loader") != "loader.0":
        deploy(deployed)
    assert os.readlink(deployed.root / "boot/loader") == "loader.0"
    names = directories(deployed)
    shutil.move(deployed.root / "boot", deployed.root / "partition")
    (deployed.root / "boot").mkdir()

    with pytest.raises(OSTreeError, match=r"entries: No such file or directory"):
        deploy(deployed)

    assert directories(deployed) == names


def test_a_first_deployment_that_was_interrupted(lab: Lab) -> None:
    """Bootlinks for a list that never became active are no reason to complain."""
    lab.commit(version="1")
    (lab.root / "ostree/boot.1.1").mkdir()
    (lab.root / "ostree/boot.1").symlink_to("boot.1.1")

    deploy(lab)

    assert lab.entries() == ["ostree-1.conf"]
