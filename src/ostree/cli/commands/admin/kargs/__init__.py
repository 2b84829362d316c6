"""``ostree admin kargs``: kernel arguments of deployments."""

from __future__ import annotations

from ostree.cli.command import Entry, Group
from ostree.cli.sysroot import OPTIONS, print_current_directory

GROUP = Group(
    "admin kargs",
    "ostree.cli.commands.admin.kargs",
    (
        Entry(
            "edit-in-place",
            "Set new kernel command line arguments in place (applies to all deployments by "
            "default)",
            hidden=True,
        ),
    ),
    summary="Change kernel arguments",
    options=OPTIONS,
    before=print_current_directory,
    passes_dashes=True,
)
