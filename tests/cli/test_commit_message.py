"""What ``ostree commit`` says: subject, body, editor, time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, ostree, succeed
from ostree.cli.commit_message import choose_editor, parse_epoch
from ostree.errors import FormatError, OSTreeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Oracle


def test_the_environment_gives_the_time(repo: Path, tree: Path) -> None:
    """``SOURCE_DATE_EPOCH`` counts unless ``--timestamp`` is given."""
    environ = {"SOURCE_DATE_EPOCH": "1700000000"}

    succeed("commit", f"--repo={repo}", "-b", "t", tree, environ=environ)
    reproducible = succeed("show", f"--repo={repo}", "t")
    succeed("commit", f"--repo={repo}", "-b", "t", "--timestamp=@5", tree, environ=environ)
    explicit = succeed("show", f"--repo={repo}", "t")

    assert "Date:  2023-11-14 22:13:20 +0000\n" in reproducible
    assert "Date:  1970-01-01 00:00:05 +0000\n" in explicit


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("12abc", 12), (" 7", 7), ("-1", -1), ("+3", 3)]
)
def test_the_epoch_is_read_as_c_does(text: str, seconds: int) -> None:
    assert parse_epoch(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Failed to convert SOURCE_DATE_EPOCH"),
        ("x", "Failed to convert SOURCE_DATE_EPOCH"),
        ("9223372036854775808", "Parsing SOURCE_DATE_EPOCH: Numerical result out of range"),
        ("9" * 9999, "Parsing SOURCE_DATE_EPOCH: Numerical result out of range"),
    ],
)
def test_a_bad_epoch_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_epoch(text)

    assert str(caught.value) == message


def test_the_body_may_come_from_a_file(repo: Path, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "body").write_text("From a file\n")

    succeed(
        "commit", f"--repo={repo}", "-b", "b", "-s", "s", "-m", "no", "-F", tmp_path / "body", tree
    )

    assert succeed("show", f"--repo={repo}", "b").endswith("    s\n\n    From a file\n\n")


# editor -----------------------------------------------------------------------------------------


@pytest.fixture
def editor(tmp_path: Path) -> str:
    """A command that keeps what it was given, and saves what ``$EDITED`` says."""
    script = tmp_path / "editor"
    script.write_text(
        f'cat "$1" > {tmp_path}/shown; echo "$1" > {tmp_path}/name; printf "$EDITED" > "$1"'
    )
    return f"sh {script}"


def edit(repo: Path, tree: Path, editor: str, text: str, *words: str) -> None:
    environ = {"EDITOR": editor, "EDITED": text, "TMPDIR": str(repo.parent)}
    succeed("commit", f"--repo={repo}", "--editor", *words, str(tree), environ=environ)


def test_the_message_is_edited(repo: Path, tree: Path, tmp_path: Path, editor: str) -> None:
    """The template names the branch and has the subject; ``-m`` and ``-F`` do not count."""
    edit(
        repo,
        tree,
        editor,
        "\\n# no\\nNew  \\n\\nBody\\n",
        "-b",
        "e",
        "-s",
        "Old",
        "-m",
        "x",
        "-F",
        "/nope",
    )

    shown = (tmp_path / "shown").read_text()
    commit = succeed("show", f"--repo={repo}", "e")

    assert shown == (
        "\n"
        "# Please enter the commit message for your changes. The first line will\n"
        "# become the subject, and the remainder the body. Lines starting\n"
        "# with '#' will be ignored, and an empty message aborts the commit.\n"
        "#\n"
        "# Branch: e\n"
        "Old\n"
    )
    assert commit.endswith("\n\n    New\n\n    Body\n\n")
    assert not os.path.exists((tmp_path / "name").read_text().strip())


def test_an_empty_message_makes_no_commit(repo: Path, tree: Path, editor: str) -> None:
    environ = {"EDITOR": editor, "EDITED": "# nothing"}
    message = fail("commit", f"--repo={repo}", "-b", "e", "--editor", tree, environ=environ)

    assert message == "error: Aborting commit due to empty commit subject."
    assert succeed("refs", f"--repo={repo}") == "main\n"


@pytest.mark.parametrize(
    ("editor", "problem"),
    [
        ("exit 3;", "Child process exited with code 3"),
        ("kill -9 $$;", "Child process killed by signal 9"),
    ],
)
def test_an_editor_that_fails_makes_no_commit(
    repo: Path, tree: Path, editor: str, problem: str
) -> None:
    environ = {"EDITOR": editor}
    message = fail("commit", f"--repo={repo}", "-b", "e", "--editor", tree, environ=environ)

    assert message == f"error: There was a problem with the editor '{editor}'{problem}"


def test_a_message_that_is_not_text_is_refused(repo: Path, tree: Path, editor: str) -> None:
    environ = {"EDITOR": editor, "EDITED": "\\377"}

    message = fail("commit", f"--repo={repo}", "-b", "e", "--editor", tree, environ=environ)

    assert message == "error: Invalid UTF-8"


def test_the_file_to_edit_needs_a_place(repo: Path, tree: Path, editor: str) -> None:
    environ = {"EDITOR": editor, "TMPDIR": "/nowhere"}

    message = fail("commit", f"--repo={repo}", "-b", "e", "--editor", tree, environ=environ)

    assert message == "error: Failed to create file “/nowhere/.”: No such file or directory"


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({"OSTREE_EDITOR": "o", "VISUAL": "v", "EDITOR": "e", "TERM": "xterm"}, "o"),
        ({"VISUAL": "v", "EDITOR": "e", "TERM": "xterm"}, "v"),
        ({"VISUAL": "v", "EDITOR": "e", "TERM": "dumb"}, "e"),
        ({"VISUAL": "v", "EDITOR": "e"}, "e"),
        ({"EDITOR": ""}, ""),
        ({"TERM": "xterm"}, "vi"),
    ],
)
def test_the_editor_is_the_users(environ: Mapping[str, str], chosen: str) -> None:
    assert choose_editor(environ) == chosen


@pytest.mark.parametrize("environ", [{}, {"TERM": "dumb"}, {"TERM": "dumb", "VISUAL": "v"}])
def test_a_dumb_terminal_has_no_editor(environ: Mapping[str, str]) -> None:
    with pytest.raises(OSTreeError, match=r"^Terminal is dumb, but EDITOR unset$"):
        choose_editor(environ)


@pytest.mark.oracle
@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a\\nb",
        " a \\t\\n\\n\\n b\\n #c\\n#d\\n\\ne\\n\\n",
        "#x\\n\\n\\ny\\r\\nz",
        "ä\\n\\nö\\v\\n",
    ],
)
def test_edited_messages_are_read_as_by_the_reference(
    repo: Path, tree: Path, oracle: Oracle, text: str
) -> None:
    script = repo.parent / "edit"
    script.write_text(f"printf '{text}' > \"$1\"")
    words = ("commit", f"--repo={repo}", "--orphan", "--timestamp=@1", "--editor", str(tree))
    environ = {"EDITOR": f"sh {script}"}

    ours = ostree(*words, environ=environ)
    theirs = oracle(*words, environ=environ)

    assert ours == (0, theirs.stdout, "")
