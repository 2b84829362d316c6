"""``ostree admin state-overlay``: what ``ostree-state-overlay@.service`` runs."""

from __future__ import annotations

from ostree.cli.sysroot import open_sysroot
from ostree.errors import SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = "NAME MOUNTPATH"
OPTIONS: tuple[Option, ...] = ()


def run(ctx: Context, args: Arguments) -> None:
    """Mount the overlay, with what was changed before."""
    from ostree.sysroot.state_overlay import mount_state_overlay

    with open_sysroot(ctx, args) as sysroot:
        if sysroot.booted is None:
            raise SysrootError("Must be booted into an OSTree deployment")
        if len(args.words) < 2:
            raise SysrootError("Missing NAME or MOUNTPATH")
        mount_state_overlay(sysroot, args.words[0], args.words[1])
