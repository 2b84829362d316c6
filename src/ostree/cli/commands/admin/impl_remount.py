"""``ostree admin impl-remount``: what ``ostree-remount.service`` runs at boot."""

from __future__ import annotations

from ostree.events import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option
    from ostree.events import Event

USAGE = ""
OPTIONS: tuple[Option, ...] = ()


def run(ctx: Context, _args: Arguments) -> None:
    """Make ``/sysroot``, ``/etc`` and ``/var`` as writable as they should be."""
    from ostree.sysroot.remounting import remount

    def tell(event: Event) -> None:
        if isinstance(event, Message):
            ctx.stdout.line(event.text)

    remount("/run", tell)
