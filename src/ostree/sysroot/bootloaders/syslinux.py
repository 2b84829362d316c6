"""syslinux and extlinux: recognised only."""

from __future__ import annotations

from ostree.sysroot.bootloaders.bootloader import UnsupportedBootloader
from ostree.system.files import exists


class Syslinux(UnsupportedBootloader):
    """``boot/syslinux/syslinux.cfg`` (boot §3.2)."""

    name = "syslinux"

    def is_active(self, root_fd: int) -> bool:
        """Whether its configuration is there, be it a dangling link."""
        return exists("boot/syslinux/syslinux.cfg", root_fd)
