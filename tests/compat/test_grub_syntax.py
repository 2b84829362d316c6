"""What GRUB itself thinks of the configurations that we write."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ostree.formats.boot_entry import BootEntry
from ostree.formats.grub import format_grub_config, format_menu_entries

CHECK = "grub-script-check"

pytestmark = pytest.mark.skipif(
    shutil.which(CHECK) is None, reason="GRUB is not installed (Debian: grub-common)"
)

ENTRIES = [
    BootEntry.parse(
        f"title {title}\nlinux /ostree/os-x/vmlinuz\ninitrd /ostree/os-x/initramfs\n"
        f"devicetree /ostree/os-x/dt\noptions {options}\n"
    )
    for title, options in (
        ("Os 1 (ostree:0)", "root=LABEL=x ostree=/ostree/boot.0/os/b/0"),
        ('It\'s "the" $best `{os}`; (ostree:1)', "quiet"),
        ("Ös # 3 \\ (ostree:2)", "console=ttyS0,115200 a.b=c"),
    )
]


def check(text: str) -> None:
    result = subprocess.run([CHECK], input=text, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_whole_config() -> None:
    check(format_grub_config(ENTRIES, prefix="/boot"))


def test_menu_entries() -> None:
    check(format_menu_entries(ENTRIES, device="it's", prepare_root="set root=hd0,1\n"))
