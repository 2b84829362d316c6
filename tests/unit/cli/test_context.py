"""Output in the user's character set."""

from __future__ import annotations

import io
import os

import pytest

from ostree.cli.context import Output, OutputClosedError, charset_of, encode


@pytest.mark.parametrize(
    ("environ", "charset"),
    [
        ({}, "ascii"),
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "de_DE.UTF-8"}, "utf-8"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "ascii"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8"),
        ({"LC_ALL": "", "LANG": "en_US.utf8"}, "utf-8"),
        ({"LANG": "de_DE.ISO-8859-1"}, "ISO-8859-1"),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, "ISO-8859-15"),
        ({"LANG": "de_DE"}, "utf-8"),
        ({"LANG": "xx.no-such-charset"}, "utf-8"),
        ({"LC_ALL": "POSIX"}, "ascii"),
    ],
)
def test_the_locale_names_the_character_set(environ: dict[str, str], charset: str) -> None:
    assert charset_of(environ) == charset


@pytest.mark.parametrize(
    ("charset", "data"),
    [
        ("utf-8", "é…\udcff".encode("utf-8", "surrogateescape")),
        ("ascii", b"??\xff"),
        ("ISO-8859-1", b"\xe9?\xff"),
    ],
)
def test_names_leave_as_they_came(charset: str, data: bytes) -> None:
    """What was not UTF-8 keeps its bytes; what the character set lacks becomes ``?``."""
    text = "é…" + os.fsdecode(b"\xff")

    assert encode(text, charset) == data


def test_lines_and_bytes() -> None:
    stream = io.BytesIO()
    output = Output(stream, "utf-8", is_terminal=False)

    output.write("a")
    output.line("b")
    output.write_bytes(b"\0\xff")
    output.line()

    assert stream.getvalue() == b"ab\n\0\xff\n"


def test_a_terminal_sees_everything_at_once() -> None:
    raw = io.BytesIO()
    stream = io.BufferedWriter(raw)
    output = Output(stream, "utf-8", is_terminal=True)

    output.write("now")

    assert raw.getvalue() == b"now"


def test_a_closed_pipe_is_told_apart() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb", buffering=0) as stream, pytest.raises(OutputClosedError):
        Output(stream, "utf-8", is_terminal=False).write("x")
