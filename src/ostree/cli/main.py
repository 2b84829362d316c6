"""The ``ostree`` command: from the process's arguments to its exit status."""

from __future__ import annotations

import gc
import os
import sys

from ostree.cli.commands import ROOT
from ostree.cli.context import Context, Output, OutputClosedError, charset_of, is_terminal
from ostree.errors import OSTreeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

#: Where further commands are looked for, before ``PATH``.
EXTENSION_DIRECTORY = "/usr/libexec/libostree/ext"

#: New objects after which the collector looks for cycles.  What a command makes by the hundred
#: thousand has none; by default it would be looked at every 700 objects, 3 to 5 % of the time.
_COLLECT_EVERY = 20_000

_INTERRUPTED = 130
_SIGPIPE = 141


def command() -> NoReturn:
    """The console script: run the command of ``sys.argv``, and end the process."""
    status = run()
    if not _has_more_to_do():
        # To take all modules and objects apart takes 3 to 10 ms, which the kernel does in one.
        try:
            if sys.stderr:
                sys.stderr.flush()
        except OSError:
            pass
        os._exit(status)
    sys.exit(status)


def _has_more_to_do() -> bool:
    """Whether something is to happen at the interpreter's end: for threads, tools, or whoever asked."""
    threading = sys.modules.get("threading")
    return (
        "atexit" in sys.modules
        or (threading is not None and threading.active_count() > 1)
        or sys.flags.dev_mode
        or bool(sys.warnoptions)
        or sys.gettrace() is not None
        or sys.getprofile() is not None
    )


def run() -> int:
    """Run the command of ``sys.argv``; returns its exit status."""
    gc.set_threshold(_COLLECT_EVERY)
    environ = os.environ
    charset = charset_of(environ)
    ctx = Context(
        Output(sys.stdout.buffer if sys.stdout else None, charset, is_terminal=is_terminal(1)),
        Output(sys.stderr.buffer if sys.stderr else None, charset, is_terminal=is_terminal(2)),
        environ,
    )
    status = main(sys.argv[1:], ctx)
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        # That is known already; the interpreter would try once more, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status


def main(argv: Sequence[str], ctx: Context) -> int:
    """Run one command.

    Every error that a user can cause ends as one line on ``ctx.stderr``; others are raised.

    Returns:
        The exit status.
    """
    try:
        try:
            status = _run(argv, ctx)
            ctx.stdout.flush()
        except OSTreeError as error:
            _print_error(ctx, error.message, error.hint)
            return error.exit_code
        except OSError as error:
            _print_error(ctx, _describe(error))
            return 1
        except KeyboardInterrupt:
            _print_error(ctx, "Interrupted")
            return _INTERRUPTED
    except OutputClosedError:
        return _SIGPIPE
    return status


def _run(argv: Sequence[str], ctx: Context) -> int:
    name, _ = ROOT.split(argv)
    if name is not None and ROOT.entry(name) is None:
        program = find_extension(name, ctx.environ.get("PATH", ""))
        if program is not None:
            os.execve(program, [f"ostree-{name}", *argv], dict(ctx.environ))
    return ROOT.run(ctx, argv)


def find_extension(name: str, search_path: str) -> str | None:
    """The executable ``ostree-NAME``, from the extension directory or a list of directories."""
    if "/" in name:
        return None
    for directory in (EXTENSION_DIRECTORY, *search_path.split(":")):
        program = os.path.join(directory or ".", f"ostree-{name}")
        if os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    return None


def _print_error(ctx: Context, message: str, hint: str | None = None) -> None:
    from contextlib import suppress

    with suppress(OSError, OutputClosedError):  # what was printed may be lost, the error is not
        ctx.stdout.flush()
    # Upstream colours by what standard output is, although this goes elsewhere.
    red = ctx.stdout.is_terminal
    prefix = "\033[31m\033[1merror:\033[0m\033[22m" if red else "error:"
    ctx.stderr.line(f"{prefix} {message}")
    if hint:
        ctx.stderr.line(f"hint: {hint}")
    ctx.stderr.flush()


def _describe(error: OSError) -> str:
    """An error of the system that nobody below has put into words."""
    text = error.strerror or str(error)
    return f"{os.fsdecode(error.filename)}: {text}" if error.filename else text
