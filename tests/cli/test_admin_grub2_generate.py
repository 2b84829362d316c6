"""``ostree admin instutil grub2-generate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

GRUB = {"GRUB2_BOOT_DEVICE_ID": "dev'x", "GRUB2_PREPARE_ROOT_CACHE": "set root=x\nsearch y\n"}


@pytest.fixture
def sysroot(tmp_path: Path) -> Path:
    """With boot entries of both bootversions; 0 is active."""
    tree = tmp_path / "ostree/deploy/os/deploy" / f"{'c' * 64}.0"
    tree.mkdir(parents=True)
    for bootversion, index in ((0, 0), (1, 0), (1, 1)):
        entries = tmp_path / f"boot/loader.{bootversion}/entries"
        entries.mkdir(parents=True, exist_ok=True)
        link = f"ostree/boot.{bootversion}/os/{'b' * 64}/{index}"
        (entries / f"ostree-{2 - index}.conf").write_text(
            f"title It's {index}\nversion {2 - index}\nlinux /k{index}\n"
            f"initrd /i{index}\noptions a=1 ostree=/{link}\n"
        )
        path = tmp_path / link.replace(f"boot.{bootversion}", f"boot.{bootversion}.1")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(f"../../../deploy/os/deploy/{'c' * 64}.0")
    (tmp_path / "boot/loader").symlink_to("loader.0")
    for bootversion in (0, 1):
        (tmp_path / f"ostree/boot.{bootversion}").symlink_to(f"boot.{bootversion}.1")
    succeed("admin", "init-fs", tmp_path)
    return tmp_path


def generate(sysroot: Path, *words: str, **environ: str) -> str:
    argv = ("admin", "instutil", "grub2-generate", f"--sysroot={sysroot}", *words)
    return succeed(*argv, environ={**GRUB, **environ})


def test_the_entries_of_a_bootversion(sysroot: Path) -> None:
    first = generate(sysroot)

    assert first == (
        "menuentry 'It'\\''s 0' --class gnu-linux --class gnu --class os --unrestricted "
        "'ostree-0-dev'\\''x' {\n"
        "load_video\nset gfxpayload=keep\ninsmod gzio\nset root=x\nsearch y\n\n"
        f"linux /k0 a=1 ostree=/ostree/boot.0/os/{'b' * 64}/0\ninitrd /i0\n}}\n"
    )
    assert generate(sysroot, "0") == generate(sysroot, _OSTREE_GRUB2_BOOTVERSION="0") == first
    assert generate(sysroot, "1").count("menuentry") == 2
    assert generate(sysroot, "1") == generate(sysroot, _OSTREE_GRUB2_BOOTVERSION="1")
    assert generate(sysroot, "0", _OSTREE_GRUB2_BOOTVERSION="1") == first


@pytest.mark.oracle
def test_the_reference_prints_the_same(sysroot: Path, oracle: Oracle) -> None:
    for words in ([], ["0"], ["1"]):
        argv = ("admin", "instutil", "grub2-generate", f"--sysroot={sysroot}", *words)
        theirs = oracle(*argv, environ=GRUB).stdout
        assert generate(sysroot, *words) == theirs


@pytest.mark.parametrize("text", ["2", "-1", "x", "", "01"])
def test_a_bootversion_is_0_or_1(sysroot: Path, text: str) -> None:
    argv = ("admin", "instutil", "grub2-generate", f"--sysroot={sysroot}")

    assert fail(*argv, environ={**GRUB, "_OSTREE_GRUB2_BOOTVERSION": text}) == (
        f"error: Invalid bootversion: {text}"
    )


@pytest.mark.parametrize("missing", list(GRUB))
def test_outside_of_mkconfig(sysroot: Path, missing: str) -> None:
    """The reference aborts."""
    environ = {key: value for key, value in GRUB.items() if key != missing}
    argv = ("admin", "instutil", "grub2-generate", f"--sysroot={sysroot}")

    assert fail(*argv, environ=environ).startswith(f"error: {missing} is not set")


def test_the_group(sysroot: Path) -> None:
    assert ostree("admin", "instutil", f"--sysroot={sysroot}").err.endswith(
        '\nerror: No "admin instutil" subcommand specified\n'
    )
