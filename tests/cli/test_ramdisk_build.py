"""``ostree ramdisk build``."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed
from ostree.boot.programs import APPLETS
from support.elf import make_elf, make_module

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "6.1.0-test"

PROGRAM = make_elf(content=b"\0".join([b"", *(name.encode() for name in APPLETS), b""]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system's root directory with a kernel and a static busybox."""
    root = tmp_path / "root"
    modules = root / "usr/lib/modules" / VERSION / "kernel"
    for directory in ("fs/ext4", "crypto", "drivers/mmc/host", "drivers/net"):
        (modules / directory).mkdir(parents=True)
    files = {
        "fs/ext4/ext4.ko.xz": lzma.compress(
            make_module(depends="mbcache", softdep="pre: crc32c", alias="fs-ext4")
        ),
        "fs/mbcache.ko": make_module(),
        "crypto/crc32c_generic.ko.gz": gzip.compress(make_module(alias="crc32c")),
        "drivers/mmc/host/sdhci-test.ko": make_module(alias="of:N*T*Ctest,sdhci"),
        "drivers/net/net-test.ko": make_module(),
    }
    for name, data in files.items():
        (modules / name).write_bytes(data)
    (modules.parent / "modules.builtin").write_text("kernel/fs/builtin-one.ko\n")
    (root / "usr/bin").mkdir()
    (root / "usr/bin/busybox").write_bytes(PROGRAM)
    return root


def unpack(image: Path) -> dict[str, bytes]:
    """The regular files and links of a ramdisk that is compressed with gzip."""
    if not shutil.which("cpio"):
        pytest.skip("cpio (Debian: cpio) is not installed")
    directory = image.with_suffix(".d")
    directory.mkdir()
    archive = gzip.decompress(image.read_bytes())
    # Device nodes are not for everybody to make.
    command = ["cpio", "--extract", "--quiet", "--nonmatching", "dev/*"]
    subprocess.run(command, input=archive, cwd=directory, check=True)
    found = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            found[name] = os.readlink(path).encode()
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def build(root: Path, *options: str) -> tuple[str, dict[str, bytes]]:
    image = root.parent / "ramdisk.img"
    out = succeed("ramdisk", "build", f"--root={root}", *options, "-o", image)
    return out, unpack(image)


def test_what_the_root_device_needs_is_in_it(root: Path) -> None:
    out, files = build(root)

    modules = f"lib/modules/{VERSION}"
    size = (root.parent / "ramdisk.img").stat().st_size
    assert out == f"Kernel {VERSION} (x86_64), 4 modules, {size} bytes\n"
    assert [name for name in files if name.endswith(".ko")] == [
        f"{modules}/kernel/crypto/crc32c_generic.ko",
        f"{modules}/kernel/drivers/mmc/host/sdhci-test.ko",
        f"{modules}/kernel/fs/ext4/ext4.ko",
        f"{modules}/kernel/fs/mbcache.ko",
    ]
    assert files["etc/ostree/modules"] == b"crc32c_generic\next4\n"
    assert files[f"{modules}/modules.dep"].splitlines() == [
        b"kernel/crypto/crc32c_generic.ko:",
        b"kernel/drivers/mmc/host/sdhci-test.ko:",
        b"kernel/fs/ext4/ext4.ko: kernel/fs/mbcache.ko",
        b"kernel/fs/mbcache.ko:",
    ]
    assert b"alias fs-ext4 ext4\n" in files[f"{modules}/modules.alias"]
    assert files["init"] == b"sbin/init"
    assert files["bin/busybox"] == PROGRAM
    assert files["bin/mount"] == b"busybox"
    assert files["sbin/init"].startswith(b"#!/bin/sh\n")


def test_modules_are_uncompressed_in_it(root: Path) -> None:
    """The busybox of the ramdisk need not know how, and the whole is compressed anyway."""
    _, files = build(root)

    data = files[f"lib/modules/{VERSION}/kernel/fs/ext4/ext4.ko"]
    assert data.startswith(b"\x7fELF")


@pytest.mark.skipif(not shutil.which("zstd"), reason="zstd (Debian: zstd) is not installed")
def test_modules_compressed_with_zstd_are_read(root: Path) -> None:
    module = root / "usr/lib/modules" / VERSION / "kernel/fs/mbcache.ko"
    content = module.read_bytes()
    subprocess.run(["zstd", "-q", "--rm", module], check=True)

    _, files = build(root)

    assert files[f"lib/modules/{VERSION}/kernel/fs/mbcache.ko"] == content


def test_further_modules_are_loaded_at_the_start(root: Path) -> None:
    _, files = build(root, "--module=net_test", "--module=builtin-one")

    assert files["etc/ostree/modules"] == b"crc32c_generic\next4\nnet_test\n"


def test_equal_input_gives_equal_bytes(root: Path) -> None:
    """Whenever it is built, and whatever the times of the files are."""
    digests = set()
    for number in range(2):
        image = root.parent / f"{number}.img"
        os.utime(root / "usr/bin/busybox", (number, number))
        succeed("ramdisk", "build", f"--root={root}", "-o", image)
        digests.add(hashlib.sha256(image.read_bytes()).hexdigest())

    assert len(digests) == 1


def test_times_are_those_of_the_source(root: Path) -> None:
    image = root.parent / "image"
    environ = {"SOURCE_DATE_EPOCH": "1700000000"}

    succeed("ramdisk", "build", f"--root={root}", "-o", image, environ=environ)
    files = gzip.decompress(image.read_bytes())

    assert f"{1700000000:08X}".encode() in files[:110]


def test_a_time_that_is_none_is_refused(root: Path) -> None:
    message = fail(
        *("ramdisk", "build", f"--root={root}", "-o", root.parent / "image"),
        environ={"SOURCE_DATE_EPOCH": "yesterday"},
    )

    assert message == "error: SOURCE_DATE_EPOCH is no number of seconds: yesterday"


@pytest.mark.parametrize(
    ("name", "magic"), [("gzip", b"\x1f\x8b"), ("xz", b"\xfd7zXZ"), ("none", b"070701")]
)
def test_compression_can_be_chosen(root: Path, name: str, magic: bytes) -> None:
    image = root.parent / "image"

    succeed("ramdisk", "build", f"--root={root}", f"--compression={name}", "-o", image)

    assert image.read_bytes().startswith(magic)


def test_xz_is_as_the_kernel_reads_it(root: Path) -> None:
    """No other checksum than CRC32 is known there."""
    image = root.parent / "image"

    succeed("ramdisk", "build", f"--root={root}", "--compression=xz", "-o", image)

    decoder = lzma.LZMADecompressor()
    assert decoder.decompress(image.read_bytes()).startswith(b"070701")
    assert decoder.check == lzma.CHECK_CRC32


def test_the_configuration_of_the_system_goes_along(root: Path) -> None:
    for directory, text in (("usr/lib/ostree", "[etc]\n"), ("usr/etc/ostree", "[root]\n")):
        (root / directory).mkdir(parents=True)
        (root / directory / "prepare-root.conf").write_text(text)

    _, files = build(root, "--release=Number 7")

    assert files["usr/lib/ostree/prepare-root.conf"] == b"[etc]\n"
    assert files["etc/ostree/prepare-root.conf"] == b"[root]\n"
    assert files["etc/ramdisk-release"] == b"Number 7\n"


def test_a_program_that_checks_the_root_goes_along(root: Path) -> None:
    program = root.parent / "e2fsck"
    program.write_bytes(make_elf(content=b"check"))

    _, files = build(root, f"--fsck={program}")

    assert files["sbin/fsck.ext4"] == program.read_bytes()


class TestNoModules:
    """A kernel that has everything built in, and only a list of it beside ``vmlinuz``."""

    @pytest.fixture
    def directory(self, root: Path) -> Path:
        directory = root / "usr/lib/modules" / VERSION
        shutil.rmtree(directory / "kernel")
        return directory

    def test_a_ramdisk_without_modules(self, root: Path, directory: Path) -> None:
        builtin = "kernel/drivers/mmc/core/mmc_block.ko\nkernel/fs/ext4/ext4.ko\n"
        (directory / "modules.builtin").write_text(builtin)

        out, files = build(root, "--module=mmc-block")

        assert out.startswith(f"Kernel {VERSION} (x86_64), 0 modules, ")
        assert files["etc/ostree/modules"] == b""
        assert not [name for name in files if name.endswith(".ko")]

    @pytest.mark.parametrize(
        ("builtin", "missing"),
        [
            ("kernel/fs/ext4/ext4.ko\n", "disk"),
            ("kernel/drivers/nvme/host/nvme.ko\n", "file system"),
        ],
    )
    def test_it_could_not_mount_a_root(
        self, root: Path, directory: Path, builtin: str, missing: str
    ) -> None:
        (directory / "modules.builtin").write_text(builtin)

        result = ostree("ramdisk", "build", f"--root={root}", "-o", root.parent / "image")

        assert result.status == 1
        assert result.err.splitlines()[0] == (
            f"error: The kernel in {directory} has no modules, and no driver of a {missing} built in"
        )


class TestErrors:
    """Nothing is written, and what is missing is named."""

    def refused(self, root: Path, *options: str) -> str:
        image = root.parent / "image"
        result = ostree("ramdisk", "build", f"--root={root}", *options, "-o", image)
        assert result.status == 1
        assert sorted(path.name for path in root.parent.iterdir() if path != root) == []
        return result.err

    def test_no_output(self) -> None:
        assert misuse("ramdisk", "build") == "error: --output must be specified"

    def test_too_much(self) -> None:
        assert misuse("ramdisk", "build", "-o", "x", "y") == "error: Unexpected argument y"

    def test_unknown_compression(self, root: Path) -> None:
        assert "Unknown compression 'lzo'" in self.refused(root, "--compression=lzo")

    def test_unknown_module(self, root: Path) -> None:
        assert self.refused(root, "--module=x-y") == "error: No kernel module x_y\n"

    def test_no_kernel(self, root: Path) -> None:
        shutil.rmtree(root / "usr/lib/modules")

        assert self.refused(root) == f"error: No kernel modules in {root}\n"

    def test_another_kernel(self, root: Path) -> None:
        message = self.refused(root, "--kernel-version=5.10")

        assert message == f"error: No modules of kernel 5.10 in {root}\n"

    def test_several_kernels(self, root: Path) -> None:
        (root / "lib/modules/5.10/kernel").mkdir(parents=True)

        assert self.refused(root) == (
            f"error: Several kernels in {root}: 5.10, {VERSION}\n"
            "hint: choose one with --kernel-version\n"
        )

    def test_a_dynamic_busybox(self, root: Path) -> None:
        program = root / "usr/bin/busybox"
        program.write_bytes(make_elf(interpreter=True))

        message = self.refused(root, f"--busybox={program}")

        assert message == (
            f"error: {program} is dynamically linked: a ramdisk needs a static program\n"
        )

    def test_a_busybox_that_lacks_something(self, root: Path) -> None:
        program = root / "usr/bin/busybox"
        program.write_bytes(PROGRAM.replace(b"\0findfs\0", b"\0nothing\0"))

        assert self.refused(root).startswith(f"error: {program} lacks findfs\nhint: install ")

    def test_a_busybox_for_another_machine(self, root: Path) -> None:
        program = root / "usr/bin/busybox"
        table = b"\0".join([b"", *(name.encode() for name in APPLETS), b""])
        program.write_bytes(make_elf("aarch64", content=table))

        assert self.refused(root) == (
            f"error: {program} is for aarch64, the kernel for x86_64\n"
            "hint: name one for the device with --busybox\n"
        )

    def test_a_broken_module(self, root: Path) -> None:
        module = root / "usr/lib/modules" / VERSION / "kernel/fs/ext4/ext4.ko.xz"
        module.write_bytes(b"\xfd7zXZ\0 no more")

        assert self.refused(root).startswith(f"error: {module}: ")

    def test_a_module_that_ends_early(self, root: Path) -> None:
        module = root / "usr/lib/modules" / VERSION / "kernel/fs/ext4/ext4.ko.xz"
        module.write_bytes(module.read_bytes()[:-20])

        assert self.refused(root).startswith(f"error: Reading {module}: ")
