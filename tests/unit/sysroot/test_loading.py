"""A boot configuration that somebody damaged."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.sysroot.deployment import UnlockedState
from ostree.system import file_system_type

if TYPE_CHECKING:
    from pathlib import Path

    from unit.sysroot.conftest import Lab

GARBAGE = b"\x00\xff\xfe[=\n\n\r" * 7


@pytest.fixture
def entry(lab: Lab) -> Path:
    lab.commit()
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
    return lab.root / "boot/loader/entries/ostree-1.conf"


def error_of(lab: Lab) -> str:
    with lab.open() as sysroot, pytest.raises(OSTreeError) as caught:
        _ = sysroot.deployments
    return str(caught.value)


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def test_no_argument(lab: Lab, entry: Path) -> None:
    edit(entry, "ostree=", "ostre=")

    assert error_of(lab) == "loading sysroot: No ostree= kernel argument found"


@pytest.mark.parametrize(
    "argument",
    [
        "/etc/passwd",
        "/ostree/boot.1/../../etc/0",
        "/ostree/boot.7/os/ab/0",
        "/ostree/boot.1/os/ab/99999999999999999999999999",
        "",
    ],
)
def test_argument_that_leads_elsewhere(lab: Lab, entry: Path, argument: str) -> None:
    entry.write_text(f"version 1\noptions ostree={argument}\n")

    assert error_of(lab).startswith(f"loading sysroot: Invalid ostree= argument '{argument}'")


def test_missing_bootlink(lab: Lab, entry: Path) -> None:
    edit(entry, "/0\n", "/5\n")

    assert error_of(lab).endswith("in stateroot 'os': readlinkat: No such file or directory")


@pytest.mark.parametrize(
    "target", ["/etc", "../../../../../../etc", "../../../deploy/os/deploy/x.0", "."]
)
def test_bootlink_that_leads_elsewhere(lab: Lab, entry: Path, target: str) -> None:
    link = next((lab.root / "ostree/boot.1.1/os").glob("*/0"))
    link.unlink()
    link.symlink_to(target)

    assert "in stateroot 'os': Invalid " in error_of(lab)
    assert entry.exists()


def test_missing_directory(lab: Lab, entry: Path) -> None:
    for path in (lab.root / "ostree/deploy/os/deploy").iterdir():
        if path.is_dir():
            shutil.rmtree(path)

    message = error_of(lab)

    assert "opendir(ostree/boot.1/os/" in message
    assert message.endswith("/0): No such file or directory")
    assert entry.exists()


def test_text_that_is_none(lab: Lab, entry: Path) -> None:
    entry.write_bytes(GARBAGE)

    assert error_of(lab) == "loading sysroot: Parsing ostree-1.conf: Invalid UTF-8"


def test_a_huge_entry_is_not_read(lab: Lab, entry: Path) -> None:
    with entry.open("r+b") as file:
        file.truncate(1 << 40)

    assert error_of(lab).endswith("Parsing ostree-1.conf: File is larger than 1048576 bytes")


def test_origin_that_is_none(lab: Lab, entry: Path) -> None:
    origin = next((lab.root / "ostree/deploy/os/deploy").glob("*.origin"))
    origin.write_text("garbage")

    assert error_of(lab).endswith(
        ".origin: Key file contains line “garbage” which is not a key-value pair, group, or comment"
    )
    assert entry.exists()


def test_no_origin_is_no_error(lab: Lab, entry: Path) -> None:
    next((lab.root / "ostree/deploy/os/deploy").glob("*.origin")).unlink()

    with lab.open() as sysroot:
        assert sysroot.deployments[0].origin is None
    assert entry.exists()


@pytest.mark.parametrize("target", ["loader.7", "loader.1/", "/etc", "loader."])
def test_loader_that_leads_elsewhere(lab: Lab, entry: Path, target: str) -> None:
    (lab.root / "boot/loader").unlink()
    (lab.root / "boot/loader").symlink_to(target)

    assert error_of(lab) == f"loading sysroot: Invalid target '{target}' in boot/loader"
    assert entry.name == "ostree-1.conf"


def test_loader_that_is_no_link(lab: Lab, entry: Path) -> None:
    (lab.root / "boot/loader").unlink()
    (lab.root / "boot/loader").mkdir()

    assert error_of(lab) == "loading sysroot: Not a symbolic link: boot/loader"
    assert entry.name == "ostree-1.conf"


def test_bootlinks_that_lead_elsewhere(lab: Lab, entry: Path) -> None:
    (lab.root / "ostree/boot.1").unlink()
    (lab.root / "ostree/boot.1").symlink_to("boot.0.1")

    with lab.open() as sysroot, pytest.raises(OSTreeError):
        sysroot.cleanup()
    assert entry.exists()


def test_malformed_overlay(lab: Lab, entry: Path) -> None:
    entry.write_text(entry.read_text() + "initrd /boot/x.img\n")

    assert error_of(lab) == "loading sysroot: Malformed overlay initrd filename: x.img"


def test_foreign_entries_are_ignored(lab: Lab, entry: Path) -> None:
    (entry.parent / "debian.conf").write_bytes(GARBAGE)
    (entry.parent / "ostree-9.conf.bak").write_bytes(GARBAGE)
    (entry.parent / "ostree-8.conf").mkdir()
    (entry.parent / "ostree-7.conf").symlink_to("nothing")

    assert len(lab.names()) == 1


def test_versions_order_entries(lab: Lab, entry: Path) -> None:
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
    entries = lab.root / "boot/loader/entries"
    edit(entries / "ostree-1.conf", "version 1", "version 10")
    edit(entries / "ostree-2.conf", "version 2", "version 9")

    with lab.open() as sysroot:
        assert [d.entry.get("version") for d in sysroot.deployments] == ["10", "9"]
    edit(entries / "ostree-1.conf", "version 10\n", "")
    with lab.open() as sysroot:
        assert [d.entry.get("version") for d in sysroot.deployments] == ["9", None]
    assert entry.name == "ostree-1.conf"


def test_unlocked_states(lab: Lab, entry: Path) -> None:
    origin = next((lab.root / "ostree/deploy/os/deploy").glob("*.origin"))
    origin.write_text("[origin]\nunlocked=hotfix\n")
    with lab.open() as sysroot:
        assert sysroot.deployments[0].unlocked is UnlockedState.HOTFIX
        name = sysroot.deployments[0].name
    state = lab.run / "ostree/deployment-state" / name
    state.mkdir(parents=True)

    for word in ("transient", "development"):
        (state / f"unlocked-{word}").touch()
        with lab.open() as sysroot:
            assert sysroot.deployments[0].unlocked.value == word
    assert entry.exists()


def test_a_booted_system_elsewhere_is_not_this_one(lab: Lab, entry: Path) -> None:
    (lab.run / "ostree-booted").write_bytes(GARBAGE)

    with lab.open() as sysroot:
        assert sysroot.booted is None
    assert entry.exists()


def test_boot_on_a_file_system_without_links(
    lab: Lab, entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only looked for where it may be: /boot is on a file system of its own."""
    asked: list[int] = []

    def vfat(fd: int) -> int:
        asked.append(fd)
        return file_system_type.VFAT

    monkeypatch.setattr(file_system_type, "file_system_type", vfat)
    assert len(lab.names()) == 1
    assert asked == []
    boot = lab.root / "boot"
    boot.rename(lab.root / "boot.away")
    boot.symlink_to("/proc")

    assert error_of(lab) == "loading sysroot: /boot cannot currently be a vfat filesystem"
    assert len(asked) == 1
    assert not entry.exists()


def test_bootlinks_of_no_version(lab: Lab, entry: Path) -> None:
    (lab.root / "ostree/boot.1").unlink()
    (lab.root / "ostree/boot.1").symlink_to("boot.1.9")

    assert error_of(lab) == "loading sysroot: Invalid target 'boot.1.9' in ostree/boot.1"
    assert entry.exists()
