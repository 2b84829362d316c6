"""``ostree admin impl-system-generator``: the generator that systemd runs at boot."""

from __future__ import annotations

from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = "NORMAL-DIR [EARLY-DIR LATE-DIR]"
OPTIONS: tuple[Option, ...] = ()


def run(_ctx: Context, args: Arguments) -> None:
    """Write the units for this boot."""
    from ostree.sysroot.generator import gather_facts, generate

    if not args.words:
        raise UsageError("NORMAL-DIR must be specified")
    generate(args.words[0], gather_facts("/run"), "/run")
