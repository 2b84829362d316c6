"""``ostree config``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare


def test_a_value_is_set_read_and_removed(repo: Path) -> None:
    assert succeed("config", f"--repo={repo}", "set", "core.x", "a b") == ""
    assert succeed("config", f"--repo={repo}", "get", "core.x") == "a b\n"
    assert succeed("config", f"--repo={repo}", "unset", "core.x") == ""

    message = fail("config", f"--repo={repo}", "get", "core.x")

    assert message == "error: Key file does not have key “x” in group “core”"


def test_the_group_option_allows_dots(repo: Path) -> None:
    group = '--group=remote "a.b"'

    succeed("config", f"--repo={repo}", group, "set", "url", "http://example.com")

    assert succeed("config", f"--repo={repo}", group, "get", "url") == "http://example.com\n"


def test_special_characters_survive(repo: Path) -> None:
    succeed("config", f"--repo={repo}", "set", "core.x", " a\n\\b\t")

    assert succeed("config", f"--repo={repo}", "get", "core.x") == " a\n\\b\t\n"


def test_a_configuration_that_could_not_be_opened_is_not_written(repo: Path) -> None:
    """Since 2025.3; before, the repository was locked out."""
    before = (repo / "config").read_bytes()

    message = fail("config", f"--repo={repo}", "set", "core.mode", "bogus")

    assert message == "error: Invalid mode 'bogus' in repository configuration"
    assert (repo / "config").read_bytes() == before


def test_usage_errors(repo: Path) -> None:
    assert misuse("config", f"--repo={repo}") == "error: OPERATION must be specified"
    assert misuse("config", f"--repo={repo}", "get", "a.b", "c") == (
        "error: Too many arguments given"
    )


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "",
        "get",
        "get mode",
        "get core.mode extra",
        "get core.",
        "get .core",
        "get core.zz",
        "get zz.x",
        "--group=core get",
        "--group=core get mode",
        "--group=core get mode x",
        "--group=core set",
        "--group=core set a",
        "--group=core set a b c",
        "set core.a",
        "set",
        "set x y",
        "set x.y a b",
        "unset",
        "unset core",
        "unset x.y",
        "unset x.y z",
        "--group=x unset",
        "--group=x unset y",
        "frob",
    ],
)
def test_messages_are_the_references(words: str, repo: Path, compare: Compare) -> None:
    compare("config", f"--repo={repo}", *words.split())
