"""``ostree admin unlock``: make ``/usr`` of the running system writable."""

from __future__ import annotations

from ostree.cli.options import flag
from ostree.cli.sysroot import open_sysroot
from ostree.errors import SysrootError, UsageError
from ostree.sysroot.deployment import UnlockedState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    flag("hotfix", "Retain changes across reboots"),
    flag("transient", "Mount overlayfs read-only by default"),
)

_MESSAGES = {
    UnlockedState.DEVELOPMENT: (
        "Development mode enabled.  A writable overlayfs is now mounted on /usr.\n"
        "All changes there will be discarded on reboot.\n"
    ),
    UnlockedState.TRANSIENT: (
        "A writable overlayfs is prepared for /usr, but is mounted read-only by default.\n"
        "All changes there will be discarded on reboot.\n"
    ),
    UnlockedState.HOTFIX: (
        "Hotfix mode enabled.  A writable overlayfs is now mounted on /usr\n"
        "for this booted deployment.  A non-hotfixed clone has been created\n"
        "as the non-default rollback target.\n"
    ),
}


def run(ctx: Context, args: Arguments) -> None:
    """Mount the overlay and remember that it is there."""
    state = UnlockedState.DEVELOPMENT
    with open_sysroot(ctx, args) as sysroot:
        if args.words:
            raise UsageError("This command takes no extra arguments")
        if args.flag("hotfix") and args.flag("transient") and sysroot.booted is not None:
            raise SysrootError("Cannot specify both --hotfix and --transient")
        if args.flag("hotfix"):
            state = UnlockedState.HOTFIX
        elif args.flag("transient"):
            state = UnlockedState.TRANSIENT
        sysroot.unlock(state)
    ctx.stdout.write(_MESSAGES[state])
