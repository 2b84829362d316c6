"""``ostree cat``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare


def test_files_are_joined(repo: Path) -> None:
    out = succeed("cat", f"--repo={repo}", "main", "hello.txt", "/bin/run.sh")

    assert out == "hello\n#!/bin/sh\necho run\n"


def test_links_are_followed_within_the_commit(repo: Path) -> None:
    assert succeed("cat", f"--repo={repo}", "main", "link", "sub/up") == "hello\nhello\n"


def test_a_link_to_itself_ends(repo: Path, tree: Path) -> None:
    """The reference crashes."""
    (tree / "loop").symlink_to("loop")
    succeed("commit", f"--repo={repo}", "-b", "loop", tree)

    message = fail("cat", f"--repo={repo}", "loop", "loop")

    assert message == "error: Too many levels of symbolic links: /loop"


def test_output_before_an_error_is_kept(repo: Path) -> None:
    result = ostree("cat", f"--repo={repo}", "main", "hello.txt", "nope")

    assert result == (1, "hello\n", "error: No such file or directory: /nope\n")


def test_usage_errors(repo: Path) -> None:
    message = "error: A COMMIT and at least one PATH argument are required"

    assert misuse("cat", f"--repo={repo}") == message
    assert misuse("cat", f"--repo={repo}", "main") == message


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "main hello.txt",
        "main link sub/up",
        "main dangling",
        "main hello.txt sub",
        "main bin/",
        "main hello.txt/",
        "main nope",
        "nope x",
        "main hello.txt/x",
    ],
)
def test_output_is_the_references(words: str, repo: Path, compare: Compare) -> None:
    compare("cat", f"--repo={repo}", *words.split())
