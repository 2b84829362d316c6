"""``ostree trivial-httpd``: a web server for tests, which upstream has as a separate program."""

from __future__ import annotations

import os

from ostree.cli.options import OptionError, flag, integer, path, text, texts
from ostree.errors import OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO, Self

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.server.faults import Faults

USAGE = "[DIR]"
OPTIONS = (
    flag("daemonize", "Fork into background when ready", short="d"),
    flag("autoexit", "Automatically exit when directory is deleted"),
    integer("port", "PORT", "Use the specified TCP port", short="P"),
    path("port-file", "PATH", "Write port number to PATH (- for standard output)", short="p"),
    flag("force-range-requests", "Force range requests by only serving half of files"),
    flag("require-basic-auth", "Require username foouser, password barpw"),
    integer(
        "random-500s",
        "PERCENTAGE",
        "Generate random HTTP 500 errors approximately for PERCENTAGE requests",
    ),
    integer("random-500s-max", "MAX", "Limit HTTP 500 errors to MAX (default 100)"),
    integer(
        "random-408s",
        "PERCENTAGE",
        "Generate random HTTP 408 errors approximately for PERCENTAGE requests",
    ),
    integer("random-408s-max", "MAX", "Limit HTTP 408 errors to MAX (default 100)"),
    path("log-file", "PATH", "Put logs here (use - for stdout)"),
    texts("expected-cookies", "KEY=VALUE", "Expect given cookies in the http request"),
    texts("expected-header", "KEY=VALUE", "Expect given headers in the http request"),
    text("bind", "ADDRESS", "Listen on this address only (default: all of them)"),
)
_MOST_ERRORS = 100


def run(ctx: Context, args: Arguments) -> int | None:
    """Serve a directory, by default the current one."""
    if args.flag("daemonize") and args.text("log-file") == "-":
        raise UsageError("Cannot use --log-file=- and --daemonize at the same time")
    faults = _faults(args)
    if not args.flag("daemonize"):
        from ostree.system.daemon import end_with_parent

        end_with_parent()
        _serve(ctx, args, faults, lambda: None)
        return None
    from ostree.system.daemon import Detached

    side = Detached()
    if side.is_parent:
        side.wait()
        return 0
    try:
        _serve(ctx, args, faults, side.ready)
    except OSTreeError as error:
        side.fail(error)
        os._exit(1)  # what would be printed is the parent's to say
    return None


def _serve(ctx: Context, args: Arguments, faults: Faults, ready: Callable[[], None]) -> None:
    """Start the server, say where it is, and run it to its end."""
    from ostree.server.trivial import TrivialServer

    root = os.path.abspath(args.words[0] if args.words else ".")
    with (
        _Log(ctx, args.text("log-file")) as log,
        TrivialServer(
            root, faults, log, port=args.integer("port", 0), bind=args.text("bind")
        ) as server,
    ):
        _tell_port(ctx, args.text("port-file"), server.server_port)
        log(f"serving at root {root}")
        if args.flag("autoexit"):
            server.stop_when_gone(root)
        ready()
        server.serve_forever()


def _faults(args: Arguments) -> Faults:
    from random import random

    from ostree.server.faults import Faults, RandomErrors

    errors = []
    for status in (500, 408):
        percentage = args.integer(f"random-{status}s", 0)
        if not 0 <= percentage < 100:
            raise OSTreeError(f"Invalid --random-{status}s={percentage}")
        most = args.integer(f"random-{status}s-max", _MOST_ERRORS)
        errors.append(RandomErrors(status, percentage, most))
    return Faults(
        cookies=_pairs(args, "expected-cookies"),
        headers=_pairs(args, "expected-header"),
        basic_auth=args.flag("require-basic-auth"),
        errors=errors,
        halves=args.flag("force-range-requests"),
        random=random,
    )


def _pairs(args: Arguments, name: str) -> list[tuple[str, str]]:
    pairs = []
    for pair in args.texts(name):
        key, equals, value = pair.partition("=")
        if not equals:
            raise OptionError(f"Missing '=' in --{name}")
        pairs.append((key, value))
    return pairs


def _tell_port(ctx: Context, where: str | None, port: int) -> None:
    if where == "-":
        ctx.stdout.line(str(port))
        ctx.stdout.flush()
    elif where is not None:
        from ostree.system import files

        directory = os.path.dirname(where) or "."
        descriptor = files.open_directory(directory)
        try:
            files.replace_file(os.path.basename(where), f"{port}\n".encode(), descriptor)
        finally:
            os.close(descriptor)


class _Log:
    """Lines with the local time in front."""

    def __init__(self, ctx: Context, where: str | None) -> None:
        import threading

        self._lock = threading.Lock()
        self._ctx = ctx if where == "-" else None
        self._file: BinaryIO | None = None
        if where not in (None, "-"):
            self._file = _create(os.path.abspath(where or ""))

    def __call__(self, line: str) -> None:
        """Write a line."""
        if self._file is None and self._ctx is None:
            return
        from datetime import datetime

        now = datetime.now()  # noqa: DTZ005 - local time is what upstream writes
        text = f"{now:%Y-%m-%d %H:%M:%S.%f} - {line}\n"
        with self._lock:
            if self._ctx is not None:
                self._ctx.stdout.write(text)
                self._ctx.stdout.flush()
            elif self._file is not None:
                self._file.write(text.encode("utf-8", "surrogateescape"))
                self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file is not None:
            self._file.close()


def _create(where: str) -> BinaryIO:
    try:
        descriptor = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OSTreeError(f"Error opening file “{where}”: {error.strerror}") from error
    return os.fdopen(descriptor, "wb")
