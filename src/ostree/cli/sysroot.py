"""The sysroot that an ``admin`` command works on, and what it says meanwhile."""

from __future__ import annotations

import os
from contextlib import suppress

from ostree.cli.context import requested_failures
from ostree.cli.options import SYSROOT, flag
from ostree.cli.repository import sign_settings
from ostree.errors import SysrootError
from ostree.events import Doubt, LogEntry, Message
from ostree.sysroot.settings import DEBUG_WORDS, OPTION_WORDS, parse_settings
from ostree.sysroot.sysroot import Sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.events import Event

#: Options of all ``admin`` commands.
OPTIONS = (
    SYSROOT,
    flag("print-current-dir", "Print current deployment directory and exit", hidden=True),
)


def open_sysroot(ctx: Context, args: Arguments, *, quiet: bool = False) -> Sysroot:
    """Open the sysroot of ``--sysroot``, or else of the environment, or else ``/``.

    Args:
        ctx: Whose environment counts, and where messages go.
        args: What the user gave.
        quiet: Whether only warnings are printed, as standard output is for a document.

    Raises:
        SysrootError: if there is no such directory.
    """
    path = args.text("sysroot") or ctx.environ.get("OSTREE_SYSROOT") or "/"
    debug = _words(ctx, "OSTREE_SYSROOT_DEBUG", DEBUG_WORDS)
    choices = _words(ctx, "OSTREE_SYSROOT_OPTS", OPTION_WORDS)
    settings = parse_settings(debug, choices, environ=ctx.environ, signing=sign_settings(ctx))
    settings.boot_id = ctx.environ.get("OSTREE_BOOTID")
    settings.fails_to_publish = "pre-commit" in requested_failures(ctx.environ)

    def listen(event: Event) -> None:
        if isinstance(event, LogEntry):
            _log(event, settings.run_directory)
        elif isinstance(event, Doubt):
            ctx.stderr.line(f"warning: {event.text}")
        elif isinstance(event, Message) and (event.warning or not quiet):
            (ctx.stderr if event.warning else ctx.stdout).line(event.text)
            # Steps take their time, and somebody may be watching a pipe.
            ctx.stdout.flush()

    return Sysroot.open(path, settings=settings, on_event=listen)


def _words(ctx: Context, variable: str, known: tuple[str, ...]) -> str:
    """A list of words in the environment; tells what it may hold if it is ``help``."""
    value = ctx.environ.get(variable, "")
    if value.lower() == "help":
        ctx.stderr.line(f"Supported debug values: {' '.join(known)} all help")
    return value


def _log(entry: LogEntry, run_directory: str) -> None:
    """Hand an entry to the journal; that it cannot be is no reason to give up."""
    from ostree.system.journal import send

    fields = {"MESSAGE": entry.text, "PRIORITY": "6", "SYSLOG_IDENTIFIER": "ostree"}
    if entry.message_id is not None:
        fields["MESSAGE_ID"] = entry.message_id
    with suppress(OSError):
        send({**fields, **entry.fields}, run_directory)


def is_ostree_booted(_ctx: Context) -> bool:
    """Whether the running system was booted from a deployment."""
    return os.path.exists("/run/ostree-booted")


def print_current_directory(ctx: Context, args: Arguments) -> int | None:
    """Where the first deployment is, if ``--print-current-dir`` asks for it.

    Raises:
        SysrootError: if there is no deployment.
    """
    if not args.flag("print-current-dir"):
        return None
    with open_sysroot(ctx, args) as sysroot:
        deployments = sysroot.deployments
        if not deployments:
            raise SysrootError("Unable to find a deployment in sysroot")
        ctx.stdout.line(sysroot.deployment_path(deployments[0]))
    return 0
