"""Running the command in this process, as fast as a function call."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from ostree.cli.context import Context, Output, charset_of
from ostree.cli.main import main

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

ENVIRON = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PATH": "/usr/bin:/bin",
    "OSTREE_SYSROOT_OPTS": "skip-sync",
}


#: Options that upstream's commands have here in addition, as their lines of help begin.
OUR_OPTIONS = (
    "  --json ",
    "  --progress=",
    "  --conflicts ",
    "  --stat-cache ",
    "  --no-stat-cache ",
)


def without_our_options(text: str) -> str:
    """A help text, or a message with one before it, as it is without the options of ours."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(OUR_OPTIONS))


class Result(NamedTuple):
    """What a command did.

    Attributes:
        status: Its exit status.
        out: What it printed.
        err: What it printed to standard error.
    """

    status: int
    out: str
    err: str


def ostree(
    *argv: str | os.PathLike[str],
    environ: Mapping[str, str] | None = None,
    terminal: bool = False,
) -> Result:
    """Run ``ostree ARGV…``.

    Args:
        argv: The command line without the program's name.
        environ: Added to a small environment with a UTF-8 locale.
        terminal: Whether standard output is to pass for a terminal.
    """
    out, err = io.BytesIO(), io.BytesIO()
    everything = {**ENVIRON, **(environ or {})}
    charset = charset_of(everything)
    ctx = Context(
        Output(out, charset, is_terminal=terminal),
        Output(err, charset, is_terminal=False),
        everything,
    )
    status = main([str(word) for word in argv], ctx)
    texts = (stream.getvalue().decode("utf-8", "surrogateescape") for stream in (out, err))
    return Result(status, *texts)


def succeed(*argv: str | os.PathLike[str], environ: Mapping[str, str] | None = None) -> str:
    """Run a command that has to succeed without a word to standard error; returns its output."""
    result = ostree(*argv, environ=environ)
    assert (result.status, result.err) == (0, "")
    return result.out


def fail(*argv: str | os.PathLike[str], environ: Mapping[str, str] | None = None) -> str:
    """Run a command that has to fail with one line, and say nothing else; returns that line."""
    result = ostree(*argv, environ=environ)
    assert result.status == 1
    lines = [line for line in result.err.splitlines() if not line.startswith("hint: ")]
    assert len(lines) == 1, result.err
    return lines[0]


def misuse(*argv: str | os.PathLike[str], environ: Mapping[str, str] | None = None) -> str:
    """Run a command that has to fail with its help, an empty line and a message, its result."""
    result = ostree(*argv, environ=environ)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("Usage:\n  ostree ")
    help, separator, message = result.err.rpartition("\n\n\n")
    assert separator, result.err
    assert help.endswith("Print version information and exit")
    return message.removesuffix("\n")
