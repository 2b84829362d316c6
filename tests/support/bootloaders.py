"""Sysroots set up for boot loaders, and programs that note how they were called."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostree.formats.boot_entry import BootEntry
from ostree.formats.sysroot_config import SysrootConfig
from ostree.sysroot.bootloaders.choice import bootloader_kind
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.settings import SysrootSettings
from ostree.types import Checksum

if TYPE_CHECKING:
    from pathlib import Path

    from ostree.sysroot.bootloaders.bootloader import Bootloader

BOOTCSUM = "b" * 64

#: A generator as ``grub2-mkconfig`` is one: it is told where to write, and by the environment for
#: which bootversion.
GENERATOR = """#!/bin/sh
echo "ostree=/ostree/boot.$_OSTREE_GRUB2_BOOTVERSION/ efi=$_OSTREE_GRUB2_IS_EFI" > "$2"
echo noise
"""


class Place:
    """A sysroot whose bootversion 0 is active, and programs that note how they were called."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self.programs = directory / "bin"
        self.calls = directory / "calls"
        self.host = directory / "host"
        self.run = directory / "run"
        for path in (self.programs, self.host, self.run):
            path.mkdir()
        (self.root / "boot/loader.0/entries").mkdir(parents=True)
        (self.root / "boot/loader.1/entries").mkdir(parents=True)
        (self.root / "boot/loader").symlink_to("loader.0")
        (self.root / "ostree/repo").mkdir(parents=True)
        (self.root / "boot/ostree").mkdir()
        self.root_fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        self.environ = {"PATH": f"{self.programs}:/usr/bin:/bin"}

    def program(self, name: str, script: str = "#!/bin/sh\n") -> str:
        """Make a program that notes its arguments and where it runs."""
        path = self.programs / name
        note = f'echo "{name} $* [$(pwd)]" >> {self.calls}\n'
        path.write_text(script.replace("#!/bin/sh\n", f"#!/bin/sh\n{note}", 1))
        path.chmod(0o755)
        return str(path)

    def noted(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def loader(self, kind: str, *, bootprefix: bool = False) -> Bootloader:
        settings = SysrootSettings(
            environ=self.environ,
            host_directory=str(self.host),
            run_directory=str(self.run),
        )
        tries = 3 if kind.endswith("-counting") else 0
        config = SysrootConfig(bootprefix=bootprefix, tries=tries)
        loader = bootloader_kind(kind.partition("-")[0])(config, settings, self.root_fd)
        loader.is_active()
        return loader

    def deployment(self, index: int, bootversion: int = 1) -> Deployment:
        """One with a boot entry and a directory."""
        entry = BootEntry.parse(
            f"title Os (ostree:{index})\nversion {9 - index}\nlinux /ostree/os-{index}/vmlinuz\n"
            f"initrd /ostree/os-{index}/initramfs.img\naboot /ostree/os-{index}/aboot.img\n"
            f"abootcfg /ostree/cfg-{index}\n"
            f"options root=/dev/x ostree=/ostree/boot.{bootversion}/os/{BOOTCSUM}/{index}\n"
        )
        made = Deployment(
            stateroot="os",
            checksum=Checksum("c" * 64),
            serial=index,
            bootcsum=BOOTCSUM,
            index=index,
            bootserial=index,
            entry=entry,
        )
        for name in ("boot", "sysroot", "proc"):
            (self.root / made.path / name).mkdir(parents=True, exist_ok=True)
        return made

    def tree(self) -> dict[str, bytes | str]:
        """All files and links below ``boot``."""
        found: dict[str, bytes | str] = {}
        for path in sorted((self.root / "boot").rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_symlink():
                found[name] = os.readlink(path)
            elif path.is_file():
                found[name] = path.read_bytes()
        return found

    def swap(self, bootversion: int = 1) -> None:
        (self.root / "boot/loader").unlink()
        (self.root / "boot/loader").symlink_to(f"loader.{bootversion}")


def prepare(place: Place, kind: str) -> None:
    """What the builder of an image does for a boot loader."""
    boot = place.root / "boot"
    if kind == "syslinux":
        (boot / "syslinux").mkdir()
        (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
        (boot / "loader.0/syslinux.cfg").write_text("TIMEOUT 20\n")
    elif kind == "uboot":
        (boot / "loader.0/uEnv.txt").write_text("")
    elif kind.startswith("grub2"):
        if kind.endswith("-efi"):
            (boot / "efi/EFI/BOOT").mkdir(parents=True)
            (boot / "efi/EFI/vendor").mkdir()
            (boot / "efi/EFI/BOOT/grub.cfg").write_text("not this one")
            (boot / "efi/EFI/vendor/grub.cfg").write_text("old")
        else:
            (boot / "grub2").mkdir()
            (boot / "grub2/grub.cfg").symlink_to("../loader/grub.cfg")
        if not kind.startswith("grub2-builtin"):
            place.environ["OSTREE_GRUB2_EXEC"] = place.program("generator", GENERATOR)
    elif kind == "zipl":
        place.program("zipl")
        # Else it would run with the deployment as its root, which takes a whole system.
        place.program("unshare")
    elif kind == "aboot":
        place.program("aboot-deploy")
