"""U-Boot, which imports variables from ``uEnv.txt`` (boot §3.1)."""

from __future__ import annotations

import stat

from ostree.errors import FormatError, SysrootError
from ostree.formats.kernel_arguments import KernelArguments
from ostree.formats.uenv import format_uenv
from ostree.sysroot.bootloaders.bootloader import (
    Bootloader,
    ConfigFacts,
    ConfigFile,
    read_current,
)
from ostree.sysroot.layout import MAX_TEXT, loader_directory
from ostree.system.files import exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.tree_files import TreeFiles

_PATH = "boot/loader/uEnv.txt"
_SYSTEM_PATH = "usr/lib/ostree-boot/uEnv.txt"


class UBoot(Bootloader):
    """``boot/loader.V/uEnv.txt``, which ``boot/uEnv.txt`` reaches through ``boot/loader``."""

    name = "U-Boot"

    def is_active(self) -> bool:
        """Whether the builder of the image put a ``uEnv.txt`` into ``boot/loader``."""
        return exists(_PATH, self._root_fd)

    def read_facts(self, tree: TreeFiles | None) -> ConfigFacts:
        """Read the variables that the default deployment brings along."""
        system = None if tree is None else _read_system_uenv(tree)
        return ConfigFacts(current=read_current(_PATH, self._root_fd), system=system)

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """The one file; nothing of its former content survives."""
        for entry in entries[:1]:
            # Upstream looks for the variables of the system by it.
            if "ostree" not in KernelArguments.parse(entry.get("options") or ""):
                raise SysrootError(
                    "No ostree= kernel argument found in boot loader configuration file"
                )
        text = format_uenv(entries, facts.system)
        return [ConfigFile(f"{loader_directory(bootversion)}/uEnv.txt", text.encode())]


def _read_system_uenv(tree: TreeFiles) -> str | None:
    """The variables that the default deployment brings along, if it does."""
    path = tree.find(_SYSTEM_PATH, stat.S_IFREG)
    if path is None:
        return None
    if tree.size(path) > MAX_TEXT:
        raise FormatError(f"/{_SYSTEM_PATH} is larger than {MAX_TEXT} bytes")
    try:
        return b"".join(tree.read(path)).decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"/{_SYSTEM_PATH}: Invalid UTF-8") from error
