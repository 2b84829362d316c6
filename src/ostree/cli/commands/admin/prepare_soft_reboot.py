"""``ostree admin prepare-soft-reboot``: have a soft reboot lead to another deployment."""

from __future__ import annotations

import os
import sys

from ostree.cli.deployment_index import parse_index
from ostree.cli.options import flag
from ostree.cli.sysroot import open_sysroot
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "INDEX"
OPTIONS = (
    flag("reboot", "Reboot into the deployment, without starting the kernel again"),
    flag("reset", "Undo what was prepared"),
)

#: Not with the working directory in the module search path: that is a deployment.
_IMPLEMENTATION = (sys.executable, "-P", "-m", "ostree", "admin", "impl-prepare-soft-reboot")


def run(ctx: Context, args: Arguments) -> None:
    """Mount it where systemd looks for the next root, and go there if asked to."""
    from ostree.sysroot import soft_reboot

    with open_sysroot(ctx, args) as sysroot:
        if args.flag("reset"):
            with sysroot.changing():
                soft_reboot.reset(sysroot.settings.run_directory)
            return
        if not args.words:
            raise UsageError("INDEX must be specified")
        soft_reboot.prepare(
            sysroot,
            parse_index(args.words[0]),
            _IMPLEMENTATION,
            keep_failed="OSTREE_SKIP_NEXTROOT_CLEANUP" in ctx.environ,
        )
    if args.flag("reboot"):
        ctx.stdout.flush()
        os.execvp("systemctl", ["systemctl", "soft-reboot"])
