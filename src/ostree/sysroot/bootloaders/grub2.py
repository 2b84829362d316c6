"""GRUB 2: recognised only."""

from __future__ import annotations

import os

from ostree.sysroot.bootloaders.unsupported import UnsupportedBootloader
from ostree.sysroot.layout import MAX_TEXT
from ostree.system.files import exists, list_directory, read_file


class Grub2(UnsupportedBootloader):
    """A ``grub.cfg`` that a generator writes (boot §3.3)."""

    name = "grub2"

    def is_active(self, root_fd: int) -> bool:
        """Whether there is a ``grub.cfg`` and bootupd does not take care of it."""
        if _is_static(root_fd):
            return False
        if exists("boot/grub/grub.cfg", root_fd) or exists("boot/grub2/grub.cfg", root_fd):
            return True
        vendors = list_directory("boot/efi/EFI", root_fd)
        return any(
            os.access(f"boot/efi/EFI/{vendor}/grub.cfg", os.F_OK, dir_fd=root_fd)
            for vendor in vendors
            if vendor != "BOOT"
        )


def _is_static(root_fd: int) -> bool:
    """Whether bootupd installed a ``grub.cfg`` that reads the boot entries by itself."""
    try:
        state = read_file("boot/bootupd-state.json", root_fd, limit=MAX_TEXT)
    except OSError:
        return False
    return b'"static-configs"' in state and b'"static-configs":null' not in state
