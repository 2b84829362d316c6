"""``ostree ramdisk install``: prepare-root for a system's own ramdisk, or for none."""

from __future__ import annotations

from ostree.boot.installation import KINDS
from ostree.cli.options import path
from ostree.errors import OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "dracut|initramfs-tools|no-ramdisk"
OPTIONS = (
    path("root", "TREE", "Root directory of the system it is for"),
    path(
        "busybox", "FILE", "Static busybox for a start without ramdisk (defaults to that of TREE)"
    ),
)


def run(ctx: Context, args: Arguments) -> None:
    """Put the files into the tree, and name them."""
    from ostree.boot.installation import install, installed_files

    if len(args.words) != 1:
        raise UsageError("What to install for must be specified")
    (kind,) = args.words
    if kind not in KINDS:
        raise UsageError(f"Unknown kind of start '{kind}'")
    root = args.text("root")
    if root is None:
        raise UsageError("--root must be specified")
    found = installed_files(kind, root, args.text("busybox"))
    try:
        install(found, root)
    except OSError as error:
        raise OSTreeError(f"Opening {root}: {error.strerror}") from error
    for name in sorted(found):
        ctx.stdout.line(f"/{name}")
