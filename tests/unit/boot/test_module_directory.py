"""Modules as a kernel's package installs them."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import ostree.boot.module_directory
from ostree.boot.module_directory import ModuleDirectory
from ostree.errors import FormatError, NotFoundError, OSTreeError
from support.elf import make_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def zstd(data: bytes) -> bytes:
    if not shutil.which("zstd"):
        pytest.skip("zstd (Debian: zstd) is not installed")
    return subprocess.run(["zstd", "-q"], input=data, check=True, stdout=subprocess.PIPE).stdout


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstd,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The directory of a kernel's modules."""
    path = tmp_path / "6.1"
    (path / "kernel/fs").mkdir(parents=True)
    return path


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_modules_are_read_uncompressed(path: Path, suffix: str) -> None:
    data = make_module(depends="other", alias="fs-one")
    (path / f"kernel/fs/mod-one.ko{suffix}").write_bytes(COMPRESSIONS[suffix](data))

    modules = ModuleDirectory(str(path))

    assert "mod_one" in modules
    assert modules.read("mod_one") == data
    assert modules.file("mod_one") == "kernel/fs/mod-one.ko"
    info = modules.info("mod_one")
    assert info is not None
    assert info.needs == ("other",)


def test_aliases_are_found_in_all_modules(path: Path) -> None:
    (path / "kernel/fs/a.ko").write_bytes(make_module(alias=["crypto-crc32c", "x"]))
    (path / "kernel/fs/b.ko").write_bytes(make_module(alias="crypto-crc32c"))

    modules = ModuleDirectory(str(path))

    assert sorted(modules.with_alias("crypto-crc32c")) == ["a", "b"]
    assert sorted(modules.with_alias("crypto_crc32c")) == ["a", "b"]
    assert not list(modules.with_alias("nothing"))


def test_what_is_built_in_is_known_by_name_and_alias(path: Path) -> None:
    (path / "modules.builtin").write_text("kernel/crypto/crc32c-generic.ko\n")
    (path / "modules.builtin.modinfo").write_bytes(b"crc32c_generic.alias=crc32c\0")

    modules = ModuleDirectory(str(path))

    assert modules.is_builtin("crc32c_generic")
    assert modules.is_builtin("crc32c")
    assert not modules.is_builtin("ext4")
    assert modules.info("crc32c_generic") is None


def test_what_was_installed_beside_the_kernels_own_wins(path: Path) -> None:
    (path / "updates").mkdir()
    (path / "kernel/fs/a.ko").write_bytes(make_module(depends="old"))
    (path / "updates/a.ko").write_bytes(make_module(depends="new"))

    info = ModuleDirectory(str(path)).info("a")

    assert info is not None
    assert info.needs == ("new",)


def test_modules_of_a_directory_are_listed(path: Path) -> None:
    (path / "kernel/drivers/mmc/host").mkdir(parents=True)
    for name in ("drivers/mmc/host/b.ko", "drivers/mmc/a.ko.xz", "fs/c.ko"):
        (path / "kernel" / name).touch()

    assert ModuleDirectory(str(path)).below("drivers/mmc") == ["a", "b"]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_module_that_unpacks_to_too_much_is_refused(
    path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ostree.boot.module_directory, "MAX_MODULE", 1 << 16)
    data = make_module() + bytes(1 << 17)
    (path / f"kernel/fs/a.ko{suffix}").write_bytes(COMPRESSIONS[suffix](data))

    with pytest.raises(FormatError, match=r"a\.ko.*: larger than 65536 bytes"):
        ModuleDirectory(str(path)).read("a")


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
def test_damaged_compression_is_an_error(path: Path, suffix: str, damage: str) -> None:
    data = COMPRESSIONS[suffix](make_module(license="GPL" * 100))
    damaged = {"cut": data[: len(data) // 2], "garbage": data[:5] + b"x" * 40, "empty": b""}
    (path / f"kernel/fs/a.ko{suffix}").write_bytes(damaged[damage])

    with pytest.raises(OSTreeError, match=r"a\.ko"):
        ModuleDirectory(str(path)).read("a")


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="No kernel modules in"):
        ModuleDirectory(str(tmp_path / "none"))
