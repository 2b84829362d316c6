"""``ostree admin post-copy``: mend what a copy of a whole file system loses."""

from __future__ import annotations

from ostree.cli.sysroot import open_sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = ""
OPTIONS: tuple[Option, ...] = ()


def run(ctx: Context, args: Arguments) -> None:
    """Seal files with fs-verity where the repository wants it and the file system can."""
    with open_sysroot(ctx, args) as sysroot:
        sysroot.post_copy()
