"""Help texts, held in ``golden/``; where the options are upstream's, so is the text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.running import succeed, without_our_options
from ostree.cli.command import Group
from ostree.cli.commands import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Oracle

GOLDEN = Path(__file__).parent / "golden"

#: Commands with the reference's options, all of them.
SAME_OPTIONS = (
    "cat",
    "checksum",
    "config",
    "export",
    "create-usb",
    "find-remotes",
    "init",
    "log",
    "ls",
    "reset",
    "rev-parse",
    "gpg-sign",
    "remote add",
    "remote delete",
    "remote gpg-import",
    "remote gpg-list-keys",
    "remote add-cookie",
    "remote delete-cookie",
    "remote list-cookies",
    "remote list",
    "remote show-url",
    "admin cleanup",
    "admin config-diff",
    "admin instutil set-kargs",
    "admin kargs",
    "admin kargs edit-in-place",
    "admin pin",
    "admin set-origin",
    "admin undeploy",
    "static-delta",
    "static-delta delete",
    "static-delta indexes",
    "static-delta reindex",
)


def all_commands(group: Group = ROOT) -> Iterator[str]:
    yield group.name
    for entry in group.entries:
        command = group.find(entry.name)
        assert command is not None
        if isinstance(command, Group):
            yield from all_commands(command)
        else:
            yield command.name


COMMANDS = tuple(all_commands())


def table(help: str) -> list[tuple[str, str]]:
    """The names of commands in the help of a group, and what it says of them."""
    lines = help.partition(" Commands:\n")[2].partition("\n\n")[0].splitlines()
    return [(line.split()[0], " ".join(line.split()[1:])) for line in lines]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_is_the_golden_one(command: str) -> None:
    """A change of help is a change that users see; adapt the file along with it."""
    golden = GOLDEN / f"{command.replace(' ', '-') or 'ostree'}.txt"

    assert succeed(*command.split(), "--help") == golden.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    names = {f"{command.replace(' ', '-') or 'ostree'}.txt" for command in COMMANDS}

    assert {path.name for path in GOLDEN.iterdir()} == names


@pytest.mark.oracle
@pytest.mark.parametrize("command", SAME_OPTIONS)
def test_the_help_is_the_references(command: str, oracle: Oracle) -> None:
    """But for the lines of options that the reference lacks."""
    theirs = oracle(*command.split(), "--help").stdout.replace("/usr/bin/ostree", "ostree")

    ours = without_our_options(succeed(*command.split(), "--help"))

    assert ours == theirs


@pytest.mark.oracle
@pytest.mark.parametrize("group", ["", "remote", "static-delta"])
def test_tables_have_the_references_order_and_words(group: str, oracle: Oracle) -> None:
    """Commands that both have stand in the same order, described in the same words."""
    theirs = table(oracle(*group.split(), "--help").stdout)
    ours = table(succeed(*group.split(), "--help"))

    both = {name for name, _ in theirs} & {name for name, _ in ours}

    assert both
    assert [row for row in ours if row[0] in both] == [row for row in theirs if row[0] in both]
