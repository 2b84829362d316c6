"""The text that a commit message is edited in."""

from __future__ import annotations

import pytest

from ostree.formats.commit_message import parse_message, template


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ("", "")),
        ("# only\n\n#comments\n", ("", "")),
        ("a", ("a", "")),
        ("a\nb", ("a", "b")),
        ("\n  a  \n\n\n  b\t\n\n # c\n#d\nd\n\n", ("  a", "  b\n\n # c\nd")),
        ("a\r\n\r\nb\r\n", ("a", "b")),
        ("a\v\n\nb\v\n", ("a\v", "b\v")),
    ],
)
def test_the_first_line_is_the_subject(text: str, message: tuple[str, str]) -> None:
    assert parse_message(text) == message


def test_the_template_is_an_empty_message() -> None:
    """Unless it has a subject."""
    assert parse_message(template("branch", "")) == ("", "")
    assert parse_message(template(None, "")) == ("", "")
    assert parse_message(template("branch", "subject")) == ("subject", "")
    assert "# Branch: branch\n" in template("branch", "")
    assert "Branch" not in template(None, "")
