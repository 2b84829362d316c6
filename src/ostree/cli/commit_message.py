"""What a commit says: subject, body, editor, time (repository format §6.4)."""

from __future__ import annotations

import os
import time

from ostree.errors import FormatError, NotFoundError, OSTreeError, RepoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments


def read_message(ctx: Context, args: Arguments) -> tuple[str, str]:
    """Subject and body: the editor's before the file's before the options'.

    Raises:
        OSTreeError: if the editor fails or leaves nothing, or the file cannot be read.
    """
    subject = args.text("subject") or ""
    if args.flag("editor"):
        return _edit(ctx, args.text("branch"), subject)
    name = args.text("body-file")
    if name is None:
        return subject, args.text("body") or ""
    return subject, read_text(name)


def read_text(path: str) -> str:
    """The content of a file that has to be UTF-8.

    Raises:
        OSTreeError: ``openat(PATH): …``, ``Invalid UTF-8``.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise NotFoundError(f"openat({path}): {error.strerror}") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError("Invalid UTF-8", offset=error.start) from error


# editing ----------------------------------------------------------------------------------------


def _edit(ctx: Context, branch: str | None, subject: str) -> tuple[str, str]:
    import tempfile

    from ostree.formats.commit_message import parse_message, template

    editor = choose_editor(ctx.environ)
    directory = ctx.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - mkstemp makes a safe file there
    try:
        fd, path = tempfile.mkstemp(prefix=".", dir=directory)
    except OSError as error:
        raise RepoError(f"Failed to create file “{directory}/.”: {error.strerror}") from error
    try:
        with open(fd, "wb") as file:
            file.write(template(branch, subject).encode())
        ctx.stdout.flush()
        _run_editor(editor, path, ctx.environ)
        subject, body = parse_message(read_text(path))
    finally:
        os.unlink(path)
    if not subject:
        raise OSTreeError("Aborting commit due to empty commit subject.")
    return subject, body


def choose_editor(environ: Mapping[str, str]) -> str:
    """The command of the user's editor.

    Raises:
        OSTreeError: ``Terminal is dumb, but EDITOR unset``.
    """
    dumb = environ.get("TERM", "dumb") == "dumb"
    editor = environ.get("OSTREE_EDITOR")
    if editor is None and not dumb:
        editor = environ.get("VISUAL")
    if editor is None:
        editor = environ.get("EDITOR")
    if editor is None:
        if dumb:
            raise OSTreeError("Terminal is dumb, but EDITOR unset")
        editor = "vi"
    return editor


def _run_editor(editor: str, path: str, environ: Mapping[str, str]) -> None:
    """Run it as the shell would, with the file as its last argument, and wait for it."""
    quoted = "'" + path.replace("'", "'\\''") + "'"
    argv = ["/bin/sh", "-c", f"{editor} {quoted}"]
    _, status = os.waitpid(os.posix_spawn(argv[0], argv, environ), 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        how = f"exited with code {code}" if code > 0 else f"killed by signal {-code}"
        # Without a blank between the two sentences: so it stands in upstream.
        raise OSTreeError(f"There was a problem with the editor '{editor}'Child process {how}")


# time -------------------------------------------------------------------------------------------


def read_timestamp(ctx: Context, args: Arguments) -> int | None:
    """The time of the commit in seconds since the epoch; None for now.

    Raises:
        OSTreeError: ``Could not parse 'T'``, or if ``SOURCE_DATE_EPOCH`` is no number.
    """
    given = args.text("timestamp")
    if given is not None:
        from ostree.formats.timestamp import parse_date
        from ostree.system.machine_zone import MachineZone

        return parse_date(given, now=time.time(), tz=MachineZone())
    epoch = ctx.environ.get("SOURCE_DATE_EPOCH")
    return None if epoch is None else parse_epoch(epoch)


def parse_epoch(text: str) -> int:
    """``SOURCE_DATE_EPOCH`` as C's ``strtoll`` reads it: digits at the start count.

    Raises:
        FormatError: if there are none, or too many.
    """
    rest = text.lstrip(" \t\n\v\f\r")
    sign = -1 if rest.startswith("-") else 1
    rest = rest[1:] if rest[:1] in {"+", "-"} else rest
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if not digits:
        raise FormatError("Failed to convert SOURCE_DATE_EPOCH")
    number = sign * int(digits.lstrip("0")[:20] or "0")
    if not -(1 << 63) <= number < 1 << 63:
        raise FormatError("Parsing SOURCE_DATE_EPOCH: Numerical result out of range")
    return number
