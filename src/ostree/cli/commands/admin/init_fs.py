"""``ostree admin init-fs``: make a directory the root of a system."""

from __future__ import annotations

from ostree.cli.options import flag, integer
from ostree.errors import UsageError
from ostree.sysroot.sysroot import Sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "PATH"
OPTIONS = (
    flag("modern", "Equivalent to --epoch=1; only create /boot and /ostree"),
    integer(
        "epoch",
        "EPOCH",
        "Epoch of the layout: 0 also creates the usual directories, 2 makes /ostree private",
        short="E",
    ),
)


def run(_ctx: Context, args: Arguments) -> None:
    """Make what a physical root needs."""
    if not args.words:
        raise UsageError("PATH must be specified")
    epoch = args.integer("epoch", 0)
    if epoch == 0 and args.flag("modern"):
        epoch = 1
    Sysroot.init_fs(args.words[0], epoch=epoch)
