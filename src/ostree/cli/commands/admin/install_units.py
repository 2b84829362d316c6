"""``ostree admin install-units``: put units and generator into the tree of a system."""

from __future__ import annotations

from ostree.cli.options import path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    path("destdir", "DIR", "Root of the tree to install into (default: /)"),
    path("program", "PATH", "The command on that system (default: /usr/bin/ostree)"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Install them, and say which."""
    from ostree.sysroot.system_files import install

    program = args.text("program") or "/usr/bin/ostree"
    for installed in install(args.text("destdir") or "/", program):
        ctx.stdout.line(installed)
