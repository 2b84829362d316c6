"""Programs of other projects that make file systems."""

from __future__ import annotations

import os
import subprocess

from ostree.errors import ImageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: In which package of Debian each is.
_PACKAGES = {
    "mkfs.ext4": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "grub-mkimage": "grub-common",
}
#: Where they are although a user's PATH may not have it.
_DIRECTORIES = ("/usr/sbin", "/sbin")


class Toolbox:
    """The programs of this machine.

    Args:
        environ: The environment that they run in.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {**environ, "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}
        path = environ.get("PATH") or os.defpath
        self._directories = [d for d in (*path.split(":"), *_DIRECTORIES) if d]

    def require(self, names: Iterable[str]) -> None:
        """See to it that programs are there before anything is begun.

        Raises:
            ImageError: one of them is missing; the hint names its package.
        """
        for name in names:
            self.find(name)

    def find(self, name: str) -> str:
        """The path of a program.

        Raises:
            ImageError: it is missing.
        """
        for directory in self._directories:
            path = os.path.join(directory, name)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
        package = _PACKAGES[name]
        raise ImageError(f"{name} is not installed", hint=f"it is in the Debian package {package}")

    def run(self, name: str, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
        """Run a program to its end; returns what it printed, errors included.

        Raises:
            ImageError: it failed; with what it said last.
        """
        done = subprocess.run(
            [self.find(name), *arguments],
            env={**self._environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
            reason = lines[-1] if lines else f"exit status {done.returncode}"
            raise ImageError(f"{name}: {reason}")
        return done.stdout
