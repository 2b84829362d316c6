"""``ostree admin instutil set-kargs``: other kernel arguments for the first deployment."""

from __future__ import annotations

from ostree.cli.options import flag, texts
from ostree.cli.sysroot import open_sysroot
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "ARGS"
OPTIONS = (
    flag("import-proc-cmdline", "Import current /proc/cmdline"),
    flag("merge", "Merge with previous command line"),
    texts(
        "replace",
        "NAME=VALUE",
        "Set kernel argument, like root=/dev/sda1; this overrides any earlier argument with the "
        "same name",
    ),
    texts(
        "append",
        "NAME=VALUE",
        "Append kernel argument; useful with e.g. console= that can be used multiple times",
    ),
)


def run(ctx: Context, args: Arguments) -> None:
    """Write a boot configuration with them."""
    options = KernelArgumentOptions(
        running=args.flag("import-proc-cmdline"),
        replace=args.texts("replace"),
        append=[*args.texts("append"), *args.words],
    )
    with open_sysroot(ctx, args) as sysroot:
        sysroot.set_kernel_arguments(options, merge=args.flag("merge"))
