"""Which boot loader a sysroot has (boot §2)."""

from __future__ import annotations

from ostree.errors import SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.bootloaders.bootloader import Bootloader
    from ostree.sysroot.settings import SysrootSettings

#: In the order of probing, the last one always being there; the others have to be configured.
PROBED = ("syslinux", "grub2", "uboot", "none")
NEVER_PROBED = ("zipl", "aboot")
#: Not upstream's; only who asks for one of these gets it.
OURS = ("systemd-boot",)


def choose_bootloader(config: SysrootConfig, settings: SysrootSettings, root_fd: int) -> Bootloader:
    """The boot loader to write for; if none is set up, that which reads the boot entries itself.

    Args:
        config: The repository's ``[sysroot]`` group, which names one or says ``auto``.
        settings: How some steps are done.
        root_fd: The sysroot.

    Raises:
        SysrootError: there is no boot loader of that name.
    """
    if config.bootloader == "auto":
        candidates = (bootloader_kind(name)(config, settings, root_fd) for name in PROBED)
        return next(loader for loader in candidates if loader.is_active())
    return bootloader_kind(config.bootloader)(config, settings, root_fd)


def bootloader_kind(name: str) -> type[Bootloader]:
    """The class for a name in the configuration; imported only now, as most are never needed.

    Raises:
        SysrootError: there is no boot loader of that name.
    """
    if name == "none":
        from ostree.sysroot.bootloaders.entries_only import EntriesOnly

        return EntriesOnly
    if name == "syslinux":
        from ostree.sysroot.bootloaders.syslinux import Syslinux

        return Syslinux
    if name == "grub2":
        from ostree.sysroot.bootloaders.grub2 import Grub2

        return Grub2
    if name == "uboot":
        from ostree.sysroot.bootloaders.uboot import UBoot

        return UBoot
    if name == "zipl":
        from ostree.sysroot.bootloaders.zipl import Zipl

        return Zipl
    if name == "aboot":
        from ostree.sysroot.bootloaders.aboot import Aboot

        return Aboot
    if name == "systemd-boot":
        from ostree.sysroot.bootloaders.systemd_boot import SystemdBoot

        return SystemdBoot
    raise SysrootError(f"Invalid bootloader configuration: '{name}'")
