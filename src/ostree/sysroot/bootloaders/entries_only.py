"""Boot loaders that read the boot entries themselves, or none at all (boot §3.6).

systemd-boot, GRUB with its module blscfg, a ``grub.cfg`` of bootupd, petitboot: what is in
``boot/loader/entries`` is their configuration.
"""

from __future__ import annotations

from ostree.sysroot.bootloaders.bootloader import Bootloader, ConfigFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.bootloaders.bootloader import ConfigFacts


class EntriesOnly(Bootloader):
    """Nothing is written besides the boot entries."""

    name = "none"

    @property
    def atomic(self) -> bool:
        """No, says upstream, who cannot know who reads them."""
        return False

    def is_active(self) -> bool:
        """Always: the boot entries are there."""
        return True

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """None."""
        del facts, bootversion, entries
        return []
