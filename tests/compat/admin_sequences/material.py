"""A random operating system that changes from one version to the next."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from compat import etc_material

if TYPE_CHECKING:
    import random
    from pathlib import Path

_KERNELS = ("5.10.0", "6.1.0-rc1", "6.6.1_x86-64")
_TITLES = ("PRETTY_NAME='Random OS'\n", "ID=random\n", 'PRETTY_NAME="OS 3 Beta"\nVERSION=3\n')


class System:
    """A tree to be committed.

    Attributes:
        path: Where it is.
        version: What its commits say of themselves; None for nothing.
    """

    def __init__(self, chance: random.Random, path: Path) -> None:
        self.path = path
        self.version: str | None = None
        self._chance = chance
        self._write("usr/bin/program", "first")
        self._write("usr/lib/tmpfiles.d/x.conf", "")
        self._write("usr/lib/os-release", chance.choice(_TITLES))
        for name in ("boot", "sysroot", "var"):
            (path / name).mkdir()
        (path / "ostree").symlink_to("sysroot/ostree")
        etc_material.make_default(chance, os.fsencode(path / "usr/etc"))
        self._make_kernel()

    def change(self) -> None:
        """Make the next version of it."""
        chance = self._chance
        self._write("usr/bin/program", str(chance.random()))
        if chance.random() < 0.3:
            self._make_kernel()
        if chance.random() < 0.2:
            self._write("usr/lib/os-release", chance.choice(_TITLES))
        if chance.random() < 0.5:
            etc_material.change(chance, os.fsencode(self.path / "usr/etc"), local=False)
        if chance.random() < 0.4:
            self.version = chance.choice([None, "1", "2", "3", str(chance.randint(10, 99))])
        if chance.random() < 0.1:
            self._write("var/lib/state", "not for an existing system")
        if chance.random() < 0.15:
            text = chance.choice(["board=x\n\nconsole=ttyS0\n", "bootargs=quiet\n"])
            self._write("usr/lib/ostree-boot/uEnv.txt", text)

    def _make_kernel(self) -> None:
        chance = self._chance
        shutil.rmtree(self.path / "usr/lib/modules", ignore_errors=True)
        modules = f"usr/lib/modules/{chance.choice(_KERNELS)}"
        self._write(f"{modules}/vmlinuz", f"kernel {chance.randint(0, 3)}")
        if chance.random() < 0.8:
            name = chance.choice(["initramfs.img", "initramfs.img", "initramfs"])
            self._write(f"{modules}/{name}", f"initramfs {chance.randint(0, 1)}")
        trees = chance.random()
        if trees < 0.2:
            self._write(f"{modules}/devicetree", "tree")
        elif trees < 0.4:
            self._write(f"{modules}/dtb/board.dtb", f"tree {chance.randint(0, 2)}")
            self._write(f"{modules}/dtb/vendor/other.dtb", "other")
        if chance.random() < 0.15:
            self._write(f"{modules}/.vmlinuz.hmac", "sum")

    def _write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def edit_etc(chance: random.Random, etc: Path) -> None:
    """What a user does between two deployments."""
    etc_material.change(chance, os.fsencode(etc), local=False)


def set_up_bootloader(kind: str, boot: Path) -> None:
    """What makes a sysroot one of a boot loader, as its installation leaves it."""
    if kind == "none":
        return
    (boot / "loader.0").mkdir()
    (boot / "loader").symlink_to("loader.0")
    if kind == "uboot":
        (boot / "loader.0/uEnv.txt").write_text("")
        return
    (boot / "loader.0/syslinux.cfg").write_text(
        "DEFAULT Other\nTIMEOUT 20\n\nLABEL Other\n\tKERNEL /vmlinuz\n\tAPPEND root=/dev/sda\n"
    )
    (boot / "syslinux").mkdir()
    (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
