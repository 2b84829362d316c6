"""Which boot loader a sysroot has (boot §2)."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.sysroot.bootloaders.bootloader import UnsupportedBootloader
from ostree.sysroot.bootloaders.grub2 import Grub2
from ostree.sysroot.bootloaders.syslinux import Syslinux
from ostree.sysroot.bootloaders.uboot import UBoot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.bootloaders.bootloader import Bootloader


class _Zipl(UnsupportedBootloader):
    name = "zipl"


class _Aboot(UnsupportedBootloader):
    name = "aboot"


#: In the order of probing.
_PROBED: tuple[tuple[str, type[Bootloader]], ...] = (
    ("syslinux", Syslinux),
    ("grub2", Grub2),
    ("uboot", UBoot),
)
_NEVER_PROBED: tuple[tuple[str, type[Bootloader]], ...] = (("zipl", _Zipl), ("aboot", _Aboot))


def choose_bootloader(configured: str, root_fd: int) -> Bootloader | None:
    """The boot loader to write for, or None if boot entries are all that is wanted.

    Args:
        configured: ``[sysroot] bootloader``: ``auto``, ``none`` or a name.
        root_fd: The sysroot.

    Raises:
        SysrootError: there is no boot loader of that name, or we cannot write for it.
    """
    if configured == "none":
        return None
    if configured == "auto":
        found = next((kind() for _, kind in _PROBED if kind().is_active(root_fd)), None)
    else:
        kind_of = dict(_PROBED + _NEVER_PROBED)
        if configured not in kind_of:
            raise SysrootError(f"Invalid bootloader configuration: '{configured}'")
        found = kind_of[configured]()
    if found is not None:
        found.check()
    return found
