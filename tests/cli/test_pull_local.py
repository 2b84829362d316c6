"""``ostree pull-local``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle
    from support.openpgp import KeyMaker


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    destination = tmp_path / "destination"
    succeed("init", f"--repo={destination}", "--mode=archive")
    return destination


def test_all_refs_come_by_default(repo: Path, destination: Path) -> None:
    succeed("refs", f"--repo={repo}", "--create=other", "main")

    out = succeed("pull-local", f"--repo={destination}", "--disable-verify-bindings", repo)

    assert out.endswith(" content objects imported; 0 bytes content written\n")
    assert succeed("refs", "-r", f"--repo={destination}") == succeed("refs", "-r", f"--repo={repo}")
    succeed("fsck", f"--repo={destination}")


def test_a_remote_may_be_named(repo: Path, destination: Path) -> None:
    succeed("pull-local", f"--repo={destination}", "--remote=origin", repo, "main")

    assert succeed("refs", f"--repo={destination}") == "origin:main\n"


def test_history_comes_if_asked_for(repo: Path, destination: Path) -> None:
    succeed("pull-local", f"--repo={destination}", repo, "main")
    short = succeed("log", f"--repo={destination}", "main")
    succeed("pull-local", f"--repo={destination}", "--depth=-1", repo, "main")

    assert short.endswith("<< History beyond this commit not fetched >>\n")
    assert succeed("log", f"--repo={destination}", "main") == succeed(
        "log", f"--repo={repo}", "main"
    )


def test_lines_of_progress_leave_standard_output_alone(repo: Path, destination: Path) -> None:
    plain = succeed("pull-local", f"--repo={destination}", repo)
    result = ostree("pull-local", f"--repo={destination}", "--progress=json", repo)
    again = succeed("pull-local", f"--repo={destination}", repo)

    assert result.status == 0
    assert result.out == again != plain
    assert all(line.startswith('{"event": "') for line in result.err.splitlines())
    assert '"event": "end"' in result.err.splitlines()[-1]


def test_an_error_ends_the_lines(repo: Path, destination: Path) -> None:
    result = ostree("pull-local", f"--repo={destination}", "--progress=json", repo, "nope")

    assert result.status == 1
    assert result.err.splitlines()[-1] == "error: Refspec 'nope' not found"


def test_there_is_one_format_of_progress(repo: Path, destination: Path) -> None:
    message = fail("pull-local", f"--repo={destination}", "--progress=xml", repo)

    assert message == "error: Invalid progress format 'xml'"
    assert succeed("refs", f"--repo={destination}") == ""


def test_progress_on_a_terminal_ends_with_the_result(repo: Path, destination: Path) -> None:
    result = ostree("pull-local", f"--repo={destination}", repo, terminal=True)

    assert result.out.startswith("\0337\0338")
    assert result.out.rpartition("\0338")[2].rstrip().endswith("0 bytes content written")


def test_signatures_are_shown_on_a_terminal(repo: Path, destination: Path, keys: KeyMaker) -> None:
    """One block for each commit that had to be verified; nothing of them elsewhere."""
    succeed("remote", "add", f"--repo={destination}", "r", "http://localhost/")
    (destination / "r.trustedkeys.gpg").write_bytes(keys.export("one@example.org"))
    home = f"--gpg-homedir={keys.home}"
    succeed("gpg-sign", f"--repo={repo}", home, "main", "one@example.org")
    pull = ("pull-local", f"--repo={destination}", "--gpg-verify", "--remote=r", repo, "main")

    shown = ostree(*pull, terminal=True).out
    quiet = succeed(*pull)

    _, found, block = shown.partition("\nGPG: Verification enabled, found 1 signature:\n\n")
    assert found
    assert block.splitlines()[0].startswith("  Signature made ")
    assert block.splitlines()[1] == '  Good signature from "One <one@example.org>"'
    assert "GPG" not in quiet


def test_usage_errors(destination: Path) -> None:
    assert misuse("pull-local", f"--repo={destination}") == "error: DESTINATION must be specified"


def test_a_missing_source_is_named(destination: Path, tmp_path: Path) -> None:
    message = fail("pull-local", f"--repo={destination}", tmp_path / "none")

    expected = f"opening repo: opendir({tmp_path}/none): No such file or directory"
    assert message == f"error: {expected}"


@pytest.mark.parametrize("option", ["--http-trusted", "--mirror"])
def test_what_does_not_work_yet_is_unknown(option: str, repo: Path, destination: Path) -> None:
    message = fail("pull-local", f"--repo={destination}", option, repo)

    assert message == f"error: Unknown option {option}"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words", ["", "main", "nope", "--depth=-1 main", "--untrusted", "--commit-metadata-only"]
)
@pytest.mark.parametrize("mode", ["archive", "bare-user"])
def test_the_result_is_the_references(
    words: str, mode: str, repo: Path, tmp_path: Path, oracle: Oracle
) -> None:
    for name in ("ours", "theirs"):
        succeed("init", f"--repo={tmp_path}/{name}", f"--mode={mode}")

    ours = ostree("pull-local", f"--repo={tmp_path}/ours", str(repo), *words.split())
    theirs = oracle(
        "pull-local", f"--repo={tmp_path}/theirs", str(repo), *words.split(), check=False
    )

    assert ours == (theirs.returncode, theirs.stdout, theirs.stderr)
    assert succeed("refs", "-r", f"--repo={tmp_path}/ours") == succeed(
        "refs", "-r", f"--repo={tmp_path}/theirs"
    )
