"""Releases of a small system, busybox and Python, as trees that are ready to be committed."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from boot.packages import REPOSITORY, compile_python, fetched
from ostree.boot.module_choice import choose_modules
from ostree.boot.module_directory import ModuleDirectory

if TYPE_CHECKING:
    from boot.machine import Architecture

_DIRECTORIES = (
    *("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/etc/ostree/remotes.d"),
    *("boot", "data", "dev", "proc", "sys", "run", "tmp", "var", "sysroot"),
)
_LINKS = {
    **{name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")},
    **{name: f"var/{name}" for name in ("home", "opt", "srv", "mnt")},
    "root": "var/roothome",
    "ostree": "sysroot/ostree",
}

#: For the network, and for the partition that U-Boot reads.
_LATE_MODULES = ("virtio_net", "nls_cp437", "nls_ascii", "vfat")

#: What asks the machine to start the small system.
UP = r"=== Small system (\S+) is up\n"

#: Between archives of a ramdisk; elsewhere the kernel looks for none.
_ARCHIVE_ALIGNMENT = 4
#: In the header of a kernel's image (Documentation/arm64/booting).
_ARM64_MAGIC_PLACE, _ARM64_MAGIC = 56, b"ARMd"

_LAUNCHER = """#!/usr/bin/python3 -I
import sys
from ostree.cli.main import run
sys.exit(run())
"""


class Release(NamedTuple):
    """A version of the small system.

    Attributes:
        version: A word.
        broken: What of it does not work: ``no-kernel``, what is none; ``kernel``, one that panics (on
            arm64); ``ramdisk``; ``init``, which ends; ``hang``, an init that does not; ``health``.
            Empty for nothing.
        has_ramdisk: Whether it is started by a ramdisk.
    """

    version: str
    broken: str = ""
    has_ramdisk: bool = True


class SmallSystem:
    """Makes releases for one architecture: a tree that all have, and what is changed in it by one.

    Args:
        architecture: Its kind.
        directory: For the trees; removed by the caller.
        ostree: Our command on this machine.
    """

    def __init__(self, architecture: Architecture, directory: Path, ostree: str) -> None:
        self.architecture = architecture
        self._directory = directory
        self._ostree = ostree
        packages = fetched(architecture)
        self._busybox = packages / "root/bin/busybox"
        self._overlay = packages / "overlay"
        self._kernel = packages / "kernel"
        (self._modules,) = (self._kernel / "lib/modules").iterdir()
        (self.kernel,) = (self._kernel / "boot").glob("vmlinuz-*")

    def ramdisk(self, release: Release) -> Path:
        """The ramdisk of a release, different from that of every other."""
        image = self._directory / f"ramdisk-{release.version}.img"
        command = [self._ostree, "ramdisk", "build", f"--root={self._kernel}", f"--output={image}"]
        command += [f"--busybox={self._busybox}", f"--release={release.version}"]
        subprocess.run(command, check=True, capture_output=True)
        if release.broken == "ramdisk":
            # What follows an archive is unpacked over it: this init ends before it mounts anything.
            data = image.read_bytes()
            padding = bytes(-len(data) % _ARCHIVE_ALIGNMENT)
            image.write_bytes(data + padding + _broken_ramdisk(self._directory))
        return image

    @cached_property
    def base(self) -> Path:
        """The tree that all releases have in common."""
        tree = self._directory / "base"
        for name in _DIRECTORIES:
            (tree / name).mkdir(parents=True)
        (tree / "tmp").chmod(0o1777)
        for name, target in _LINKS.items():
            (tree / name).symlink_to(target)
        shutil.copytree(self._overlay, tree, symlinks=True, dirs_exist_ok=True)
        self._install_busybox(tree)
        self._install_kernel(tree)
        self._install_ostree(tree)
        self._configure(tree)
        return tree

    def changes(self, release: Release) -> Path:
        """A tree of what a release has of its own; it goes on top of the common one."""
        tree = self._directory / f"changes-{release.version}"
        (tree / "usr/etc").mkdir(parents=True)
        (tree / "usr/etc/release-note").write_text(f"default of {release.version}\n")
        (tree / "usr/lib").mkdir()
        (tree / "usr/lib/os-release").write_text(
            f'NAME="Small system"\nID=small\nVERSION_ID={release.version}\n'
            f'PRETTY_NAME="Small system {release.version}"\n'
        )
        self._add_ramdisk(tree, release)
        self._break(tree, release)
        return tree

    def _install_busybox(self, tree: Path) -> None:
        shutil.copy(self._busybox, tree / "usr/bin/busybox")
        # This machine's busybox is the same one, for a processor that runs here.
        listing = subprocess.run(["busybox", "--list"], check=True, capture_output=True, text=True)
        for name in listing.stdout.split():
            if name not in {"busybox", "init"} and not (tree / "usr/bin" / name).exists():
                (tree / "usr/bin" / name).symlink_to("busybox")
        init = tree / "usr/sbin/init"
        shutil.copy(Path(__file__).parent / "small-init", init)
        init.chmod(0o755)

    def _install_kernel(self, tree: Path) -> None:
        target = tree / "usr/lib/modules" / self._modules.name
        target.mkdir(parents=True)
        shutil.copy(self.kernel, target / "vmlinuz")
        modules = ModuleDirectory(str(self._modules))
        choice = choose_modules(modules, required=_LATE_MODULES, at_start=(), drivers=())
        order: list[str] = []
        for name in choice.at_start:
            order += [each for each in (*choice.dependencies[name], name) if each not in order]
        # What the ramdisk has loaded is there already.
        order = [name for name in order if name not in {"virtio", "virtio_ring", "crc32c_generic"}]
        for name in order:
            (target / f"{name}.ko").write_bytes(modules.read(name))
        (target / "small-system").write_text("".join(f"{name}.ko\n" for name in order))

    def _install_ostree(self, tree: Path) -> None:
        packages = tree / "usr/lib/python3/dist-packages"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / "src/ostree", packages / "ostree", ignore=ignored)
        launcher = tree / "usr/bin/ostree"
        launcher.write_text(_LAUNCHER)
        launcher.chmod(0o755)
        compile_python(tree, "usr/lib/python3/dist-packages/ostree")

    def _configure(self, tree: Path) -> None:
        etc = tree / "usr/etc"
        (etc / "os-release").symlink_to("../usr/lib/os-release")
        texts = {
            "passwd": "root:x:0:0:root:/root:/bin/sh\n",
            "group": "root:x:0:\n",
            "hostname": "small\n",
            "fstab": "",
            "hosts": "127.0.0.1 localhost small\n",
        }
        for name, text in texts.items():
            (etc / name).write_text(text)
        (tree / "usr/lib/ostree-boot").mkdir()
        (tree / "usr/lib/ostree-boot/uEnv.txt").write_text("ostree_boot_limit=2\n")

    def _add_ramdisk(self, tree: Path, release: Release) -> None:
        if release.has_ramdisk:
            target = tree / "usr/lib/modules" / self._modules.name / "initramfs.img"
            target.parent.mkdir(parents=True)
            shutil.move(self.ramdisk(release), target)
        else:
            install = [self._ostree, "ramdisk", "install", f"--busybox={self._busybox}"]
            install += [f"--root={tree}", "no-ramdisk"]
            subprocess.run(install, check=True, capture_output=True)

    def _break(self, tree: Path, release: Release) -> None:
        kernel = tree / "usr/lib/modules" / self._modules.name / "vmlinuz"
        if release.broken == "no-kernel":
            kernel.write_bytes(b"no kernel" * 1000)
        elif release.broken == "kernel":
            kernel.write_bytes(_broken_kernel(self.kernel.read_bytes()))
        elif release.broken in {"init", "hang"}:
            (tree / "usr/lib/broken").write_text(release.broken)
        elif release.broken == "health":
            check = tree / "usr/lib/ostree/health.d/check/required.d/10-never"
            check.parent.mkdir(parents=True)
            check.write_text("#!/bin/sh\necho never well\nexit 1\n")
            check.chmod(0o755)


def _broken_kernel(kernel: bytes) -> bytes:
    """A kernel that looks for other programs than those that there are to be started.

    Only where the kernel is not compressed: on arm64.
    """
    if kernel[_ARM64_MAGIC_PLACE:].startswith(_ARM64_MAGIC):
        broken = kernel.replace(b"/init\0", b"/tini\0")
        if broken != kernel:
            return broken
    raise ValueError("this kernel is compressed, or has no /init")


def _broken_ramdisk(directory: Path) -> bytes:
    """A second archive, in which ``/init`` ends at once."""
    broken = directory / "broken"
    broken.mkdir(exist_ok=True)
    init = broken / "init"
    init.write_text("#!/bin/sh\necho '<2>ramdisk: broken on purpose' >/dev/kmsg\nexit 1\n")
    init.chmod(0o755)
    done = subprocess.run(
        ["cpio", "--create", "--format=newc", "--quiet"],
        input=b"init\n",
        cwd=broken,
        check=True,
        capture_output=True,
    )
    return done.stdout


def owned_by_root() -> None:
    """Skip where a tree's files would belong to somebody else than root."""
    if os.geteuid() != 0:
        pytest.skip("deploying needs root")
