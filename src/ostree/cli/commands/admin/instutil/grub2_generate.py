"""``ostree admin instutil grub2-generate``: the menu entries for ``grub.cfg``.

``grub2-mkconfig`` runs it through ``/etc/grub.d/15_ostree``, which says by the environment what
GRUB has to know of the boot device (boot §3.3).
"""

from __future__ import annotations

from ostree.cli.sysroot import open_sysroot
from ostree.errors import SysrootError
from ostree.formats.grub import format_menu_entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = "[BOOTVERSION]"
OPTIONS: tuple[Option, ...] = ()


def run(ctx: Context, args: Arguments) -> None:
    """Print the entries of a bootversion, by default of the one that is being written."""
    with open_sysroot(ctx, args) as sysroot:
        text = args.words[0] if args.words else ctx.environ.get("_OSTREE_GRUB2_BOOTVERSION")
        bootversion = sysroot.bootversion if text is None else _parse_bootversion(text)
        menu = format_menu_entries(
            sysroot.boot_entries(bootversion),
            device=_require(ctx.environ, "GRUB2_BOOT_DEVICE_ID"),
            prepare_root=_require(ctx.environ, "GRUB2_PREPARE_ROOT_CACHE"),
        )
        ctx.stdout.write(menu)


def _parse_bootversion(text: str) -> int:
    if text not in {"0", "1"}:
        raise SysrootError(f"Invalid bootversion: {text}")
    return int(text)


def _require(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if value is None:
        raise SysrootError(f"{name} is not set", hint="run grub2-mkconfig, which sets it")
    return value
