"""syslinux and extlinux, which read ``syslinux.cfg`` (boot §3.2)."""

from __future__ import annotations

from ostree.formats.syslinux import format_syslinux
from ostree.sysroot.bootloaders.bootloader import (
    Bootloader,
    ConfigFacts,
    ConfigFile,
    read_current,
)
from ostree.sysroot.layout import loader_directory
from ostree.system.files import exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.tree_files import TreeFiles

_PATH = "boot/syslinux/syslinux.cfg"


class Syslinux(Bootloader):
    """``boot/loader.V/syslinux.cfg``, which ``boot/syslinux`` reaches through ``boot/loader``."""

    name = "syslinux"

    def is_active(self) -> bool:
        """Whether its configuration is there, be it a dangling link."""
        return exists(_PATH, self._root_fd)

    def read_facts(self, tree: TreeFiles | None) -> ConfigFacts:
        """Read the present configuration, whose other entries stay."""
        del tree
        return ConfigFacts(current=read_current(_PATH, self._root_fd))

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """The one file."""
        prefix = "" if self._config.bootprefix else "/boot"
        text = format_syslinux(entries, facts.current, prefix=prefix)
        return [ConfigFile(f"{loader_directory(bootversion)}/syslinux.cfg", text.encode())]
