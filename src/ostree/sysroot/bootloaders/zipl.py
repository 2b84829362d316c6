"""zipl of IBM Z, which writes a boot record that names blocks of the disk (boot §3.4)."""

from __future__ import annotations

import os

from ostree.formats.boot_entry import kernel_path
from ostree.sysroot.bootloaders.secure_execution import boot_image, is_secure_execution
from ostree.sysroot.bootloaders.stamp import StampedBootloader
from ostree.sysroot.loading import is_foreign
from ostree.sysroot.programs import contained, run_program
from ostree.system.files import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.deployment import Deployment

_SECURE = "sys/firmware/ipl/secure"
_KMSG = "dev/kmsg"
_KMSG_LINES = 5


class Zipl(StampedBootloader):
    """``zipl`` reads the boot entries; in a Secure Execution guest it writes an encrypted image."""

    name = "zipl"

    def check(self, entries: Sequence[BootEntry]) -> None:
        """Every entry has to name a kernel."""
        for entry in entries:
            kernel_path(entry)

    def may_write(self) -> bool:
        """Only root can; others leave the stamp to be found by root."""
        return os.geteuid() == 0

    def write_record(self, deployment: Deployment) -> None:
        """Run ``zipl``, in the new tree if the sysroot is another one than ours."""
        host = self._settings.host_directory
        environ = self._settings.environ
        if is_secure_execution(host):
            boot_image(deployment.entry, host, environ)
            return
        argv = ["zipl", "--secure", "1" if _is_secure_boot(host) else "auto", "-V"]
        if is_foreign(self._root_fd, self._settings.run_directory):
            root = os.readlink(f"/proc/self/fd/{self._root_fd}")
            tree = os.path.join(root, deployment.path)
            argv = contained(argv, tree, [(os.path.join(root, "boot"), "/boot")])
        run_program(argv, name="zipl", environ=environ)


def _is_secure_boot(host: str) -> bool:
    """Whether the machine was started with secure boot."""
    try:
        if b"1" in read_file(os.path.join(host, _SECURE), limit=4096):
            return True
    except OSError:
        # Older kernels only say it in their log.
        pass
    return any(b"Secure-IPL enabled" in line for line in _first_messages(host))


def _first_messages(host: str) -> list[bytes]:
    """The first lines of the kernel's log; a read of the device gives one."""
    found: list[bytes] = []
    try:
        fd = os.open(os.path.join(host, _KMSG), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return found
    try:
        while len(found) < _KMSG_LINES and (record := os.read(fd, 1 << 13)):
            found += record.splitlines()
    except OSError:
        # The log has been read to its end, or has been overwritten meanwhile.
        pass
    finally:
        os.close(fd)
    return found[:_KMSG_LINES]
