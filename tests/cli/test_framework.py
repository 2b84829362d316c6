"""What all commands have in common: finding the command and the repository, messages, status."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed
from ostree.cli import main as entry
from ostree.cli.command import Group
from ostree.cli.commands import ROOT
from ostree.cli.context import Output
from ostree.system import archive

if TYPE_CHECKING:
    from pathlib import Path

MAIN_HELP = ROOT.help()


def test_no_command_prints_the_help_as_an_error() -> None:
    result = ostree()

    assert result == (1, "", f"{MAIN_HELP}error: No command specified\n")


def test_an_unknown_command_prints_the_help_as_an_error() -> None:
    result = ostree("frob", "--anything")

    assert result.status == 1
    assert result.err == f"{MAIN_HELP}error: Unknown option --anything\n"
    assert ostree("frob").err == f"{MAIN_HELP}error: Unknown command 'frob'\n"


def test_help_goes_to_standard_output() -> None:
    assert ostree("--help") == (0, MAIN_HELP, "")


def test_the_first_word_is_the_command_wherever_it_stands(repo: Path) -> None:
    """``--repo=R refs`` works; in ``--repo R refs`` the path is taken for the command."""
    assert succeed(f"--repo={repo}", "refs") == "main\n"
    assert succeed("refs", "--repo", repo) == "main\n"

    result = ostree("--repo", repo, "refs")

    assert result.err == f"{MAIN_HELP}error: Unknown option --repo\n"


def test_global_options_need_no_command() -> None:
    result = ostree("--repo=x", "--version")

    assert result.err == f"{MAIN_HELP}error: Unknown option --repo=x\n"


@pytest.mark.parametrize("argv", [["--version"], ["refs", "--version", "--repo=/nonexistent"]])
def test_version_is_yaml(argv: list[str]) -> None:
    # What is done by a library or a program is there if that is.
    gpgme = "  - gpgme\n" if shutil.which("gpg") else ""
    libarchive = "  - libarchive\n" if archive.is_available() else ""

    assert succeed(*argv) == (
        f"libostree:\n Version: '2026.4'\n Features:\n  - libcurl\n{gpgme}{libarchive}"
        "  - sign-ed25519\n  - sign-spki\npyostree:\n Version: '0.1.0'\n"
    )


def test_an_unknown_option_of_a_command_prints_no_help(repo: Path) -> None:
    assert fail("refs", f"--repo={repo}", "--bogus") == "error: Unknown option --bogus"


def test_a_command_without_repository_prints_its_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = ostree("refs")

    assert result.status == 1
    assert result.err.startswith("Usage:\n  ostree refs [OPTION…] [PREFIX]\n")
    assert result.err.endswith("and exit\n\nerror: Command requires a --repo argument\n")


def test_a_bad_repository_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none"

    message = fail("refs", f"--repo={path}")

    assert message == f"error: opening repo: opendir({path}): No such file or directory"


def test_an_empty_path_is_not_the_current_directory(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo)

    message = fail("refs", "--repo=")

    assert message == "error: opening repo: opendir(): No such file or directory"


def test_the_current_directory_beats_the_environment(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    succeed("init", f"--repo={other}")
    succeed("refs", f"--repo={repo}", "--create=only/here", "main")
    monkeypatch.chdir(repo)

    out = succeed("refs", environ={"OSTREE_REPO": str(other)})

    assert out == "main\nonly/here\n"


def test_the_environment_names_a_repository(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert succeed("refs", environ={"OSTREE_REPO": str(repo)}) == "main\n"
    result = ostree("refs", environ={"OSTREE_REPO": "/nonexistent"})
    assert result.err.endswith("error: Command requires a --repo argument\n")


def test_the_system_repository_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ostree").mkdir()
    succeed("init", f"--repo={tmp_path}/ostree/repo")
    monkeypatch.chdir(tmp_path)

    out = succeed("config", "get", "core.mode", environ={"OSTREE_SYSROOT": str(tmp_path)})

    assert out == "bare\n"


def test_the_prefix_of_errors_is_coloured_when_output_is_a_terminal(repo: Path) -> None:
    result = ostree("rev-parse", f"--repo={repo}", "nope", terminal=True)

    assert result.err == ("\033[31m\033[1merror:\033[0m\033[22m Refspec 'nope' not found\n")


def test_the_c_locale_has_question_marks(repo: Path) -> None:
    """Characters that the locale lacks are replaced, as GLib does."""
    result = ostree("ls", f"--repo={repo}", "--help", environ={"LC_ALL": "C"})

    assert "ostree ls [OPTION?] COMMIT" in result.out


def test_text_options_have_to_be_utf8(repo: Path) -> None:
    subject = os.fsdecode(b"--subject=\xff")

    message = fail("commit", f"--repo={repo}", "--orphan", subject)

    assert message == "error: Invalid byte sequence in conversion input"


def test_usage_errors_come_after_the_help_and_an_empty_line(repo: Path) -> None:
    assert misuse("ls", f"--repo={repo}") == "error: An COMMIT argument is required"


def test_groups_name_their_commands() -> None:
    for argv, message in (
        (["remote"], 'No "remote" subcommand specified'),
        (["remote", "frob"], "Unknown \"remote\" subcommand 'frob'"),
        (["remote", "--", "add"], 'No "remote" subcommand specified'),
        (["remote", "--repo=x"], "Unknown option --repo=x"),
        (["admin"], 'No "admin" subcommand specified'),
        (["admin", "frob"], "Unknown \"admin\" subcommand 'frob'"),
    ):
        result = ostree(*argv)

        group = ROOT.find(argv[0])
        assert group is not None
        assert result == (1, "", f"{group.help()}error: {message}\n")


def test_an_option_before_a_subcommand_is_passed_on(repo: Path) -> None:
    assert succeed("remote", f"--repo={repo}", "list") == ""


def test_the_table_and_the_modules_agree() -> None:
    """Every command in a table can be imported and has what the framework asks of it."""
    for group in (ROOT, ROOT.find("remote"), ROOT.find("admin")):
        assert isinstance(group, Group)
        for line in group.entries:
            assert group.find(line.name) is not None


# the process ---------------------------------------------------------------------------------


def test_a_closed_pipe_is_no_error(repo: Path) -> None:
    """``ostree ls | head`` ends as quietly as a C program that SIGPIPE killed."""
    read, write = os.pipe()
    os.close(read)

    process = subprocess.run(
        [sys.executable, "-m", "ostree", "ls", f"--repo={repo}", "main"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)

    assert (process.returncode, process.stderr) == (141, b"")


def test_a_full_disk_is_an_error(repo: Path) -> None:
    with open("/dev/full", "wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "ostree", "ls", f"--repo={repo}", "main"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert process.returncode == 1
    assert process.stderr == b"error: No space left on device\n"


def test_an_unknown_command_may_be_a_program(tmp_path: Path) -> None:
    """``ostree-hello`` gets the whole original command line."""
    program = tmp_path / "ostree-hello"
    program.write_text('#!/bin/sh\necho "$@"\nexit 7\n')
    program.chmod(0o755)

    process = subprocess.run(
        [sys.executable, "-m", "ostree", "--repo=x", "hello", "-y"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )

    assert (process.returncode, process.stdout) == (7, b"--repo=x hello -y\n")


def test_only_executables_are_programs(tmp_path: Path) -> None:
    (tmp_path / "ostree-text").write_text("no program\n")

    assert entry.find_extension("text", str(tmp_path)) is None
    assert entry.find_extension("../text", str(tmp_path)) is None


def test_an_interruption_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(ROOT, "run", interrupted)

    assert ostree("refs") == (130, "", "error: Interrupted\n")


def test_errors_of_the_system_name_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise PermissionError(13, "Permission denied", "some/file")

    monkeypatch.setattr(ROOT, "run", fails)

    assert ostree("refs") == (1, "", "error: some/file: Permission denied\n")


def test_a_discarding_output_takes_everything() -> None:
    """A process may be started with standard output closed."""
    output = Output(None, "utf-8", is_terminal=False)

    output.line("x")
    output.flush()
