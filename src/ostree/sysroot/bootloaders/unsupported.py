"""Boot loaders that we recognise and cannot write for."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.sysroot.bootloaders.bootloader import Bootloader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.bootloaders.bootloader import ConfigFacts, ConfigFile


class UnsupportedBootloader(Bootloader):
    """A boot loader that we recognise and cannot write for."""

    def check(self) -> None:
        """Tell which it is."""
        raise SysrootError(f"The boot loader {self.name} is not supported yet")

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """Tell which it is."""
        del facts, bootversion, entries
        self.check()
        return []
