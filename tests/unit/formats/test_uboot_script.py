"""U-Boot scripts: the same bytes as mkimage's."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError
from ostree.formats import uboot_script

if TYPE_CHECKING:
    from pathlib import Path

needs_mkimage = pytest.mark.skipif(
    not shutil.which("mkimage"), reason="mkimage is not installed (Debian: u-boot-tools)"
)


@needs_mkimage
@pytest.mark.parametrize("architecture", uboot_script.ARCHITECTURES)
@pytest.mark.parametrize("text", [b"x", b"echo hello\n", b"x" * 5000])
def test_mkimage_makes_the_same(architecture: str, text: bytes, tmp_path: Path) -> None:
    source, target = tmp_path / "boot.cmd", tmp_path / "boot.scr"
    source.write_bytes(text)
    kind = ("-A", architecture, "-T", "script", "-C", "none", "-n", "a name")

    subprocess.run(
        ["mkimage", *kind, "-d", source, target],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": "1700000000"},
    )

    ours = uboot_script.encode(text, architecture=architecture, name="a name", time=1700000000)
    assert ours == target.read_bytes()
    assert uboot_script.is_script(ours)


def test_a_script_has_a_sensible_size() -> None:
    with pytest.raises(FormatError, match="too long"):
        uboot_script.encode(bytes(1 << 21))


def test_a_source_is_no_script() -> None:
    assert not uboot_script.is_script(b"echo hello\n")
    assert not uboot_script.is_script(b"")
