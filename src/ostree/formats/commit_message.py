"""The text that a commit message is edited in (repository format §6.4)."""

from __future__ import annotations

#: What GLib counts as white space.
_BLANKS = " \t\n\f\r"


def template(branch: str | None, subject: str) -> str:
    """What the editor shows first."""
    text = (
        "\n"
        "# Please enter the commit message for your changes. The first line will\n"
        "# become the subject, and the remainder the body. Lines starting\n"
        "# with '#' will be ignored, and an empty message aborts the commit.\n"
    )
    if branch is not None:
        text += f"#\n# Branch: {branch}\n"
    return text + (f"{subject}\n" if subject else "")


def parse_message(text: str) -> tuple[str, str]:
    """Subject and body of an edited text: the first line that is not empty, and what follows.

    Comments, blanks at the ends of lines and empty lines around the parts are dropped.
    """
    lines = [line.rstrip(_BLANKS) for line in text.split("\n") if not line.startswith("#")]
    while lines and not lines[0]:
        del lines[0]
    subject, body = (lines[0], lines[1:]) if lines else ("", [])
    while body and not body[0]:
        del body[0]
    return subject, "\n".join(body).rstrip(_BLANKS)
