"""How GRUB counts the tries: its commands are run by a shell, which reads them nearly as they are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ostree.formats.boot_entry import BootEntry
from ostree.formats.grub import format_grub_config
from ostree.formats.grub_counting import format_counting

_SHELL = """\
prefix=.
load_env() { for name in "$@"; do eval "$name=$(sed -n "s/^$name=//p" grubenv)"; done; }
save_env() { : >grubenv; for name in "$@"; do eval "echo $name=\\$$name" >>grubenv; done; }
"""
_TELL = 'echo "default=$default fallback=$fallback argument=$ostree_fallback" >result\n'


class Grub:
    """A GRUB with an environment block, which is a text file here."""

    def __init__(self, directory: Path, tries: int) -> None:
        self._directory = directory
        self._tries = tries

    def start(self, *, entries: int = 2) -> tuple[str, str]:
        """Start the machine: the entry that is taken, and the argument that tells of a fallback."""
        self.run(format_counting(self._tries, entries=entries))
        found = re.fullmatch(
            r"default=(\d) fallback=([\d ]+) argument=(.*)\n",
            (self._directory / "result").read_text(),
        )
        assert found
        others = [str(index) for index in range(2) if str(index) != found[1] and index < entries]
        assert found[2].split() == [*others, str(entries)]
        return found[1], found[3]

    def run(self, commands: str) -> str:
        """Run commands of GRUB's, the value of ``default`` after them."""
        script = re.sub(r"(?m)(^ *|then |; )set ", r"\1", commands)
        subprocess.run(
            ["sh", "-e", "-c", _SHELL + script + _TELL],
            cwd=self._directory,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return (self._directory / "result").read_text()[len("default=")]

    def note(self, text: str) -> None:
        (self._directory / "grubenv").write_text(text)


@pytest.mark.parametrize("tries", range(1, 6))
def test_both_entries_are_tried_in_turns(tries: int, tmp_path: Path) -> None:
    """As long as no system says that it is up."""
    grub = Grub(tmp_path, tries)

    started = [grub.start() for _ in range(4 * tries)]

    first = [("0", "")] * tries
    second = [("1", f"ostree.fallback={tries + n}") for n in range(1, tries + 1)]
    assert started == [*first, *second] * 2


@pytest.mark.parametrize("bad_starts", [0, 1, 2, 3, 4])
def test_a_system_that_is_up_has_all_tries_again(bad_starts: int, tmp_path: Path) -> None:
    grub = Grub(tmp_path, 3)
    for _ in range(bad_starts):
        grub.start()

    grub.note("boot_success=1\n")

    assert [grub.start()[0] for _ in range(4)] == ["0", "0", "0", "1"]


def test_a_single_deployment_leaves_its_successor_all_tries(tmp_path: Path) -> None:
    grub = Grub(tmp_path, 2)

    alone = [grub.start(entries=1) for _ in range(5)]

    assert alone == [("0", "")] * 5
    assert [grub.start(entries=2)[0] for _ in range(3)] == ["0", "0", "1"]


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        # As greenboot arms it before an update.
        ("boot_counter=3\nboot_success=0\n", ["0", "0", "0", "1"]),
        ("boot_counter=1\n", ["0", "1"]),
        ("boot_counter=junk\nboot_success=0\n", ["0", "0", "1"]),
        ("boot_counter=99\n", ["0", "0", "1"]),
        ("boot_counter=-99\n", ["0", "0", "1"]),
        ("boot_counter=-1\nboot_success=1\n", ["0", "0", "1"]),
    ],
)
def test_what_others_have_noted(noted: str, expected: list[str], tmp_path: Path) -> None:
    grub = Grub(tmp_path, 2)
    grub.note(noted)

    assert [grub.start()[0] for _ in expected] == expected


def test_what_the_documentation_gives_distributions(tmp_path: Path) -> None:
    """It counts as ours does, with two tries."""
    text = (Path(__file__).parents[3] / "docs/boot-loaders.md").read_text()
    documented = re.search(r"```\n( *load_env .*?)```", text, re.DOTALL)
    assert documented
    ours = Grub(tmp_path, 2)
    started = [ours.start()[0] for _ in range(6)]
    (tmp_path / "grubenv").write_text("")
    theirs = Grub(tmp_path, 2)

    assert [theirs.run(f"default=0\n{documented[1]}") for _ in range(6)] == started


def test_entries_tell_the_kernel_of_a_fallback() -> None:
    """GRUB goes on to the second with what the first one has set, if that cannot be loaded."""
    entry = BootEntry.parse("title Os\nlinux /k\ninitrd /r\noptions quiet\n")

    config = format_grub_config([entry, entry], prefix="/boot", tries=3)

    first, second, again = config.split("menuentry ")[1:]
    assert first == (
        "'Os' {\n\t set ostree_fallback=ostree.fallback=$ostree_try\n"
        "\t linux /boot/k quiet\n\t initrd /boot/r\n}\n\n"
    )
    assert second == "'Os' {\n\t linux /boot/k quiet $ostree_fallback\n\t initrd /boot/r\n}\n\n"
    assert again == "'Start again' {\n\t reboot\n}\n"


def test_without_counting_it_is_what_upstream_writes() -> None:
    entry = BootEntry.parse("title Os\nlinux /k\noptions quiet\n")

    config = format_grub_config([entry], prefix="/boot")

    assert "ostree_" not in config
    assert config.endswith("menuentry 'Os' {\n\t linux /boot/k quiet\n}\n\n")
