"""The program that makes ``grub.cfg``: which it is, and how it is called (boot §3.3)."""

from __future__ import annotations

import os
import stat

from ostree.errors import SysrootError
from ostree.sysroot.loading import is_foreign
from ostree.sysroot.programs import contained, run_program
from ostree.system.files import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.settings import SysrootSettings
    from ostree.sysroot.tree_files import TreeFiles

#: How distributions call the program, and where it is.
_PATHS = (
    "/usr/sbin/grub2-mkconfig",
    "/usr/bin/grub2-mkconfig",
    "/usr/sbin/grub-mkconfig",
    "/usr/bin/grub-mkconfig",
)
#: ``OSTREE_GRUB2_EXEC`` means the system's program, not one of its own, if it ends in these.
_SYSTEM_PROGRAMS = ("grub2-mkconfig", "/usr/sbin/grub-mkconfig", "/usr/bin/grub-mkconfig")


class Mkconfig:
    """The generator of a sysroot.

    Where we run in the sysroot, it is the host's.  For another sysroot it is that of the first
    deployment of the new list, and runs with that as its root: what is in ``/etc/grub.d`` belongs
    to the system, not to its installer.

    Args:
        settings: The environment of programs; ``OSTREE_GRUB2_EXEC`` names another generator.
        root_fd: The sysroot.
    """

    def __init__(self, settings: SysrootSettings, root_fd: int) -> None:
        self._settings = settings
        self._root_fd = root_fd

    def find(self, tree: TreeFiles | None) -> str | None:
        """The generator's path, as it is seen where it runs, or None if there is none."""
        given = self._settings.environ.get("OSTREE_GRUB2_EXEC")
        if given:
            return given
        if not is_foreign(self._root_fd, self._settings.run_directory):
            return next((path for path in _PATHS if os.access(path, os.X_OK)), None)
        if tree is None:
            return None
        found = (path for path in _PATHS if tree.find(path.lstrip("/"), stat.S_IFREG) is not None)
        return next(found, None)

    def run(
        self,
        program: str,
        path: str,
        bootversion: int,
        deployments: Sequence[Deployment],
        *,
        efi: bool,
    ) -> None:
        """Let it make ``path``, which is on disk then.

        Args:
            program: From :meth:`find`.
            path: Relative to the sysroot.
            bootversion: The one that becomes active next.
            deployments: The new list.
            efi: Whether GRUB is the one of an EFI system partition.

        Raises:
            SysrootError: it failed, or made nothing.
        """
        root = os.readlink(f"/proc/self/fd/{self._root_fd}")
        argv = [program, "-o", os.path.join(root, path)]
        if (
            deployments
            and program.endswith(_SYSTEM_PROGRAMS)
            and is_foreign(self._root_fd, self._settings.run_directory)
        ):
            tree = os.path.join(root, deployments[0].path)
            mounts = [(root, "/sysroot"), (os.path.join(root, "boot"), "/boot")]
            argv = contained([program, "-o", f"/{path}"], tree, mounts)
        environ = {**self._settings.environ, "_OSTREE_GRUB2_BOOTVERSION": str(bootversion)}
        if efi:
            environ["_OSTREE_GRUB2_IS_EFI"] = "1"
        talks = "INVOCATION_ID" in environ or "OSTREE_DEBUG_GRUB2" in environ
        try:
            run_program(argv, name=program, environ=environ, quiet=not talks)
        except SysrootError as error:
            error.hint = None if talks else "with OSTREE_DEBUG_GRUB2=1 it tells why"
            raise
        self._sync(path)

    def _sync(self, path: str) -> None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._root_fd)
        except OSError as error:
            raise SysrootError(describe(f"openat({path})", error)) from error
        try:
            os.fdatasync(fd)
        finally:
            os.close(fd)
