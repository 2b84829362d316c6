"""``ostree ls``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare


def test_a_directory_and_one_level_below(repo: Path) -> None:
    assert succeed("ls", f"--repo={repo}", "main") == (
        "d00755 0 0      0 /\n"
        "l00777 0 0      0 /dangling -> nowhere\n"
        "-00644 0 0      6 /hello.txt\n"
        "l00777 0 0      0 /link -> hello.txt\n"
        "d00755 0 0      0 /bin\n"
        "d00755 0 0      0 /sub\n"
    )


def test_names_end_with_nul(repo: Path) -> None:
    out = succeed("ls", f"--repo={repo}", "-R", "--nul-filenames-only", "main", "sub")

    assert out == "/sub\0/sub/up\0/sub/deep\0"


def test_what_is_found_before_an_error_is_printed(repo: Path) -> None:
    result = ostree("ls", f"--repo={repo}", "-d", "main", "sub", "/nope", "bin")

    assert result == (
        1,
        "d00755 0 0      0 /sub\n",
        "error: Inspecting path '/nope': No such file or directory: /nope\n",
    )


def test_usage_errors(repo: Path) -> None:
    assert misuse("ls", f"--repo={repo}") == "error: An COMMIT argument is required"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "main",
        "-R main",
        "-RC main",
        "-dC main sub hello.txt link",
        "-X main / hello.txt",
        "-RX main",
        "main /sub sub /hello.txt",
        "main sub/",
        "main hello.txt/x",
        "main link/x",
        "main nope",
        "nope",
        "--nul-filenames-only -C main",
        "--dironly=0 main",
        "-dx main",
        "-?",
    ],
)
def test_output_is_the_references(words: str, repo: Path, compare: Compare) -> None:
    compare("ls", f"--repo={repo}", *words.split())
