"""What a command has around it: output, environment."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

_USUAL_COLUMNS = 80


class OutputClosedError(Exception):
    """Nobody reads the output any more."""


class Output:
    """A stream of text in the user's character set.

    File names travel as ``str`` with surrogate escapes and leave as the bytes that they were.
    Characters that the character set lacks become ``?``.

    Args:
        stream: Where the bytes go; None discards them (a closed descriptor).
        charset: The name of a codec.
        is_terminal: Whether a person looks at it; then nothing is held back.
    """

    def __init__(self, stream: BinaryIO | None, charset: str, *, is_terminal: bool) -> None:
        self._stream = stream
        self._charset = charset
        self.is_terminal = is_terminal

    def write(self, text: str) -> None:
        """Write text as it stands.

        Raises:
            OutputClosedError: if the other end of a pipe is gone.
            OSError: if it cannot be written otherwise.
        """
        self.write_bytes(encode(text, self._charset))

    def line(self, text: str = "") -> None:
        """Write text and a line end."""
        self.write_bytes(encode(text + "\n", self._charset))

    def write_bytes(self, data: bytes | memoryview) -> None:
        """Write bytes, whatever the character set."""
        if self._stream is None:
            return
        try:
            self._stream.write(data)
            if self.is_terminal:
                self._stream.flush()
        except BrokenPipeError as error:
            raise OutputClosedError from error

    def columns(self) -> int:
        """How many characters fit into a line of the terminal; 80 if it does not tell."""
        try:
            columns = os.get_terminal_size(self._stream.fileno() if self._stream else -1).columns
        except (OSError, ValueError):
            columns = 0
        return columns or _USUAL_COLUMNS

    def flush(self) -> None:
        """Hand everything written so far to the system."""
        if self._stream is None:
            return
        try:
            self._stream.flush()
        except BrokenPipeError as error:
            raise OutputClosedError from error


class Context:
    """What a command may know of the process it runs in.

    Attributes:
        stdout: Where results go.
        stderr: Where errors, warnings and help after an error go.
        environ: The environment.
    """

    __slots__ = ("environ", "stderr", "stdout")

    def __init__(self, stdout: Output, stderr: Output, environ: Mapping[str, str]) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self.environ = environ


def requested_failures(environ: Mapping[str, str]) -> list[str]:
    """The failures that upstream's tests ask for by name."""
    wanted = environ.get("OSTREE_REPO_TEST_ERROR", "")
    return wanted.replace(";", ",").replace(":", ",").split(",")


def encode(text: str, charset: str) -> bytes:
    """Text as bytes of a character set: escaped bytes as they were, what it lacks as ``?``."""
    try:
        return text.encode(charset, "surrogateescape")
    except UnicodeEncodeError:
        return b"".join(_encode_character(character, charset) for character in text)


def _encode_character(character: str, charset: str) -> bytes:
    try:
        return character.encode(charset, "surrogateescape")
    except UnicodeEncodeError:
        return b"?"


def charset_of(environ: Mapping[str, str]) -> str:
    """The codec of the locale that the environment names.

    The interpreter itself treats the C locale as UTF-8, so it cannot be asked.  Where no locale is
    set at all it exports ``LC_CTYPE=C.UTF-8``, and text is written as UTF-8 then.
    """
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if locale in {"C", "POSIX"}:
        return "ascii"
    name = locale.partition("@")[0].partition(".")[2]
    if name.lower().replace("-", "") in {"", "utf8"}:
        return "utf-8"
    try:
        "".encode(name)
    except LookupError:
        return "utf-8"
    return name


def is_terminal(descriptor: int) -> bool:
    """Whether a descriptor is open and a terminal."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
