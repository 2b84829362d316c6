"""``ostree admin impl-prepare-soft-reboot``: mount the deployment of the working directory."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = ""
OPTIONS: tuple[Option, ...] = ()


def run(_ctx: Context, _args: Arguments) -> None:
    """Mount it for ``prepare-soft-reboot``, which takes it away again if that fails."""
    from ostree.sysroot.next_root import prepare_next_root, read_config

    prepare_next_root(read_config(), "/run")
