"""``ostree admin kargs edit-in-place``: add kernel arguments to the boot entries there are."""

from __future__ import annotations

from ostree.cli.options import texts
from ostree.cli.sysroot import open_sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "ARGS"
OPTIONS = (
    texts("append-if-missing", "NAME=VALUE", "Append kernel arguments if they do not exist"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Add what is missing; other words mean nothing, as upstream has it."""
    with open_sysroot(ctx, args) as sysroot:
        sysroot.append_kernel_arguments(args.texts("append-if-missing"))
