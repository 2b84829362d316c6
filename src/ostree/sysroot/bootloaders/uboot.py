"""U-Boot, which imports variables from ``uEnv.txt`` (boot §3.1)."""

from __future__ import annotations

import errno
import os

from ostree.errors import SysrootError
from ostree.formats.kernel_arguments import KernelArguments
from ostree.formats.uenv import format_uenv
from ostree.sysroot.bootloaders.bootloader import (
    Bootloader,
    ConfigFacts,
    ConfigFile,
    read_current,
)
from ostree.sysroot.layout import loader_directory
from ostree.sysroot.loading import read_text
from ostree.sysroot.resolve import resolve_inside
from ostree.system.files import exists, open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.deployment import Deployment

_PATH = "boot/loader/uEnv.txt"
_SYSTEM_PATH = "usr/lib/ostree-boot/uEnv.txt"


class UBoot(Bootloader):
    """``boot/loader.V/uEnv.txt``, which ``boot/uEnv.txt`` reaches through ``boot/loader``."""

    name = "U-Boot"

    def is_active(self) -> bool:
        """Whether the builder of the image put a ``uEnv.txt`` into ``boot/loader``."""
        return exists(_PATH, self._root_fd)

    def read_facts(self, deployments: Sequence[Deployment]) -> ConfigFacts:
        """Read the variables that the default deployment brings along."""
        system = _read_system_uenv(self._root_fd, deployments[0]) if deployments else None
        return ConfigFacts(current=read_current(_PATH, self._root_fd), system=system)

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """The one file; nothing of its former content survives."""
        text = format_uenv(entries, facts.system)
        return [ConfigFile(f"{loader_directory(bootversion)}/uEnv.txt", text.encode())]


def _read_system_uenv(root_fd: int, deployment: Deployment) -> str | None:
    """The variables that the default deployment brings along, if it does."""
    options = KernelArguments.parse(deployment.entry.get("options") or "")
    if "ostree" not in options:
        raise SysrootError("No ostree= kernel argument found in boot loader configuration file")
    deployment_fd = open_directory(deployment.path, dir_fd=root_fd)
    try:
        return read_text(resolve_inside(_SYSTEM_PATH, deployment_fd, clamp=True), deployment_fd)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return None
        raise
    finally:
        os.close(deployment_fd)
