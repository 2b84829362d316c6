"""Android's boot loader, which boots an image in one of two partitions (boot §3.5)."""

from __future__ import annotations

import os

from ostree.errors import SysrootError
from ostree.sysroot.bootloaders.stamp import StampedBootloader
from ostree.sysroot.programs import run_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.deployment import Deployment

_KEYS = ("aboot", "abootcfg", "version", "linux", "initrd", "options")


class Aboot(StampedBootloader):
    """``aboot-deploy`` writes the image to the partition that is not in use."""

    name = "aboot"

    def check(self, entries: Sequence[BootEntry]) -> None:
        """All keys of an Android boot image have to be there."""
        for entry in entries[:1]:
            for key in _KEYS:
                if entry.get(key) is None:
                    raise SysrootError(f'aboot: no "{key}" key in bootloader config')

    def write_record(self, deployment: Deployment) -> None:
        """Write the image of the first deployment; the next boot takes it."""
        entry = deployment.entry
        self.check([entry])
        values = [entry.get(key) or "" for key in ("abootcfg", "options", "aboot")]
        config, options, image = values
        run_program(
            ["aboot-deploy", "-r", ".", "-c", config, "-o", options, image],
            environ=self._settings.environ,
            directory=os.readlink(f"/proc/self/fd/{self._root_fd}"),
        )
