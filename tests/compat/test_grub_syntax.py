"""What GRUB itself thinks of the configurations that we write."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

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


@pytest.mark.parametrize("tries", range(1, 6))
@pytest.mark.parametrize("entries", [[], ENTRIES[:1], ENTRIES])
def test_a_config_that_counts(tries: int, entries: list[BootEntry]) -> None:
    check(format_grub_config(entries, prefix="/boot", tries=tries))


def test_what_the_documentation_gives_distributions() -> None:
    text = (Path(__file__).parents[2] / "docs/boot-loaders.md").read_text()
    commands = re.search(r"```\n( *load_env .*?)```", text, re.DOTALL)
    assert commands
    check(commands[1])


def test_menu_entries() -> None:
    check(format_menu_entries(ENTRIES, device="it's", prepare_root="set root=hd0,1\n"))
