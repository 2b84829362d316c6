"""``ostree remote add-cookie``, ``delete-cookie`` and ``list-cookies``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle


def add(repo: Path, *words: str) -> None:
    assert succeed("remote", "add-cookie", f"--repo={repo}", *words) == ""


def test_cookies_are_added_listed_and_deleted(repo: Path) -> None:
    add(repo, "far", ".example.com", "/", "one", "1")
    add(repo, "far", "host", "/x", "two", "2")

    listed = succeed("remote", "list-cookies", f"--repo={repo}", "far")
    assert succeed("remote", "delete-cookie", f"--repo={repo}", "far", "host", "/x", "two") == ""

    year = time.gmtime().tm_year + 25
    first, second = listed.removeprefix("--\n").split("--\n")
    assert first.startswith("Domain: .example.com\nPath: /\nName: one\nSecure: FALSE\n")
    assert f"Expires: {year}-" in first
    assert first.endswith("Value: 1\n")
    assert second.startswith("Domain: host\n")
    assert succeed("remote", "list-cookies", f"--repo={repo}", "far") == f"--\n{first}"


def test_the_mode_of_a_jar_is_kept(repo: Path) -> None:
    """A new one can be read by all, as upstream has it; who closes it wants it closed."""
    add(repo, "far", "host", "/", "a", "1")
    add(repo, "far", "host", "/", "b", "1")
    jar = repo / "far.cookies.txt"
    assert jar.stat().st_mode & 0o777 == 0o644
    jar.chmod(0o600)

    succeed("remote", "delete-cookie", f"--repo={repo}", "far", "host", "/", "a")

    assert jar.stat().st_mode & 0o777 == 0o600


def test_what_is_not_there_cannot_be_deleted(repo: Path) -> None:
    message = fail("remote", "delete-cookie", f"--repo={repo}", "far", "host", "/", "name")

    assert message == "error: Cookie not found in jar"


def test_bad_names_and_values_are_refused(repo: Path) -> None:
    before = sorted(os.listdir(repo))

    assert fail("remote", "add-cookie", f"--repo={repo}", "../x", "h", "/", "n", "v") == (
        "error: Invalid remote name ../x"
    )
    assert "Invalid character" in fail(
        "remote", "add-cookie", f"--repo={repo}", "x", "h", "/", "n", "a\tb"
    )
    assert sorted(os.listdir(repo)) == before


def test_too_few_words(repo: Path) -> None:
    for command, message in (
        ("add-cookie", "NAME, DOMAIN, PATH, COOKIE_NAME and VALUE must be specified"),
        ("delete-cookie", "NAME, DOMAIN, PATH and COOKIE_NAME must be specified"),
        ("list-cookies", "NAME must be specified"),
    ):
        assert misuse("remote", command, f"--repo={repo}") == f"error: {message}"


@pytest.mark.oracle
def test_the_jar_is_the_references(
    repo: Path, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference lists the jar of the current directory, and values up to a blank: mistakes."""
    words = (".example.com", "/", "name", "value")
    add(repo, "ours", *words)
    oracle("remote", "add-cookie", f"--repo={repo}", "theirs", *words)
    with open(repo / "ours.cookies.txt", "a", encoding="utf-8") as jar:
        jar.write("# no cookie\n#HttpOnly_a\tFALSE\t/\tTRUE\t0\tn\tv\tmore\n")

    files = [(repo / f"{name}.cookies.txt").read_text().split("\t") for name in ("ours", "theirs")]
    monkeypatch.chdir(repo)

    assert files[0][:4] == files[1][:4]
    assert files[0][5].splitlines()[0] == files[1][5].strip()
    assert abs(int(files[0][4]) - int(files[1][4])) <= 100
    assert oracle("remote", "list-cookies", "--repo=.", "ours").stdout == succeed(
        "remote", "list-cookies", f"--repo={repo}", "ours"
    )
