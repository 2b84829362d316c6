"""The stamp that says that a boot record is still to be written (boot §3.4, §3.5)."""

from __future__ import annotations

import os

from ostree.sysroot.bootloaders.bootloader import Bootloader, ConfigFile
from ostree.system.files import exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.bootloaders.bootloader import ConfigFacts
    from ostree.sysroot.deployment import Deployment

_STAMP = "boot/ostree-bootloader-update.stamp"


class StampedBootloader(Bootloader):
    """A boot loader that is not told by a file: a program writes its record after the swap.

    The stamp is made before the swap and removed when the program has succeeded, so that whoever
    finds it runs the program again.
    """

    def is_active(self) -> bool:
        """Never: it has to be configured."""
        return False

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """The stamp."""
        del facts, bootversion
        self.check(entries)
        return [ConfigFile(_STAMP, b"")]

    def after_swap(self, bootversion: int, deployments: Sequence[Deployment]) -> None:
        """Write the boot record if the stamp is there."""
        del bootversion
        if not deployments or not exists(_STAMP, self._root_fd) or not self.may_write():
            return
        self.write_record(deployments[0])
        os.unlink(_STAMP, dir_fd=self._root_fd)

    def may_write(self) -> bool:
        """Whether we have the rights to."""
        return True

    def check(self, entries: Sequence[BootEntry]) -> None:
        """Find out before the swap whether :meth:`write_record` has what it needs.

        Raises:
            SysrootError: the first entry lacks a key.
        """
        raise NotImplementedError

    def write_record(self, deployment: Deployment) -> None:
        """Make a deployment the one that is booted; can be repeated.

        Raises:
            SysrootError: the program failed.
            OSError: reading or writing failed.
        """
        raise NotImplementedError
