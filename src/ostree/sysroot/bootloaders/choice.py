"""Which boot loader a sysroot has (boot §2)."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.sysroot.bootloaders.grub2 import Grub2
from ostree.sysroot.bootloaders.syslinux import Syslinux
from ostree.sysroot.bootloaders.uboot import UBoot
from ostree.sysroot.bootloaders.unsupported import UnsupportedBootloader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.bootloaders.bootloader import Bootloader
    from ostree.sysroot.settings import SysrootSettings


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


def choose_bootloader(
    config: SysrootConfig, settings: SysrootSettings, root_fd: int
) -> Bootloader | None:
    """The boot loader to write for, or None if boot entries are all that is wanted.

    Args:
        config: The repository's ``[sysroot]`` group, which names one or says ``auto``.
        settings: How some steps are done.
        root_fd: The sysroot.

    Raises:
        SysrootError: there is no boot loader of that name, or we cannot write for it.
    """
    if config.bootloader == "none":
        return None
    if config.bootloader == "auto":
        candidates = (kind(config, settings) for _, kind in _PROBED)
        found = next((loader for loader in candidates if loader.is_active(root_fd)), None)
    else:
        kinds = dict(_PROBED + _NEVER_PROBED)
        if config.bootloader not in kinds:
            raise SysrootError(f"Invalid bootloader configuration: '{config.bootloader}'")
        found = kinds[config.bootloader](config, settings)
    if isinstance(found, UnsupportedBootloader):
        found.check()
    return found
