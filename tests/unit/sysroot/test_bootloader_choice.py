"""Which boot loader is written for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.formats.sysroot_config import SysrootConfig
from ostree.sysroot.bootloaders.choice import choose_bootloader
from ostree.sysroot.settings import SysrootSettings
from support.bootloaders import Place, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    os.close(place.root_fd)


def choose(place: Place, configured: str = "auto") -> str:
    config = SysrootConfig(bootloader=configured)
    return choose_bootloader(config, SysrootSettings(), place.root_fd).name


def test_none_is_set_up(place: Place) -> None:
    """So it is for systemd-boot and others that read the boot entries themselves."""
    assert choose(place) == "none"


def test_the_order_of_probing(place: Place) -> None:
    prepare(place, "uboot")
    assert choose(place) == "U-Boot"
    prepare(place, "grub2-builtin")
    assert choose(place) == "grub2"
    prepare(place, "syslinux")
    assert choose(place) == "syslinux"


@pytest.mark.parametrize(
    ("configured", "name"),
    [
        ("none", "none"),
        ("uboot", "U-Boot"),
        ("syslinux", "syslinux"),
        ("grub2", "grub2"),
        ("zipl", "zipl"),
        ("aboot", "aboot"),
    ],
)
def test_what_is_configured_is_taken_without_looking(
    place: Place, configured: str, name: str
) -> None:
    prepare(place, "grub2-builtin")

    assert choose(place, configured) == name


def test_grub_on_efi_has_to_be_found(place: Place) -> None:
    """Configured by name it is the one that is reached through ``boot/loader``, as upstream."""
    prepare(place, "grub2-builtin-efi")
    configured = SysrootConfig(bootloader="grub2")

    found = choose_bootloader(SysrootConfig(), SysrootSettings(), place.root_fd)
    named = choose_bootloader(configured, SysrootSettings(), place.root_fd)

    assert (found.atomic, named.atomic) == (False, True)


@pytest.mark.parametrize(
    "path", ["boot/syslinux/syslinux.cfg", "boot/grub/grub.cfg", "boot/grub2/grub.cfg"]
)
def test_a_dangling_link_counts(place: Place, path: str) -> None:
    (place.root / path).parent.mkdir()
    (place.root / path).symlink_to("nowhere")

    assert choose(place) != "none"


def test_a_dangling_link_on_efi_does_not(place: Place) -> None:
    (place.root / "boot/efi/EFI/vendor").mkdir(parents=True)
    (place.root / "boot/efi/EFI/vendor/grub.cfg").symlink_to("nowhere")
    (place.root / "boot/efi/EFI/README").write_text("no directory")

    assert choose(place) == "none"


@pytest.mark.parametrize("name", ["", "lilo", "Grub2"])
def test_one_that_there_is_not(place: Place, name: str) -> None:
    with pytest.raises(SysrootError, match=f"^Invalid bootloader configuration: '{name}'$"):
        choose(place, name)
