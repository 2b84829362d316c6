"""A root file system to demonstrate with: real files of this host, or any tree that is given.

Everything is copied, so that nothing the demo does can reach the originals.
"""

from __future__ import annotations

import os
import shutil
import stat
import sysconfig
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1 << 20

#: Where the demo's own settings live; release 1 ships them, the device edits one of them.
SETTINGS = "usr/etc/gateway"
NETWORK = f"{SETTINGS}/network.conf"
CHANNEL = f"{SETTINGS}/channel.conf"

#: Settings of a host that say nothing about it or its users.
HARMLESS_ETC = (
    "bash.bashrc",
    "bindresvport.blacklist",
    "ethertypes",
    "host.conf",
    "inputrc",
    "ld.so.conf",
    "login.defs",
    "magic",
    "mke2fs.conf",
    "networks",
    "nsswitch.conf",
    "profile",
    "protocols",
    "rpc",
    "services",
    "shells",
    "sysctl.conf",
)

#: Top-level directories of a root file system that belong below /usr in a /usr-merged one.
MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")

#: What is not part of an operating system tree: state, and what exists at run time only.
STATE = {"boot", "dev", "media", "mnt", "proc", "run", "srv", "sys", "sysroot", "tmp", "var"}

EMPTY_DIRECTORIES = ("boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var")

ROOT_LINKS = {
    "home": "var/home",
    "media": "run/media",
    "mnt": "var/mnt",
    "opt": "var/opt",
    "ostree": "sysroot/ostree",
    "root": "var/roothome",
    "srv": "var/srv",
}

_KERNEL = "This is not a kernel: it stands in for one.\n" * 1000
_RAMDISK = "This is not a ramdisk: it stands in for one.\n" * 1000

OS_RELEASE = 'ID=demo\nNAME="Demo OS"\nPRETTY_NAME="Demo OS"\n'


class Gathering:
    """What has been copied so far, and what has not and why."""

    def __init__(self, budget: int, largest: int, report: Callable[[str], None]) -> None:
        self.budget = budget
        self.largest = largest
        self.report = report
        self.files = 0
        self.links = 0
        self.bytes = 0
        self.unreadable = 0
        self.special = 0
        self.left_out = 0

    def __str__(self) -> str:
        return f"{self.files:,} files, {self.links:,} links, {self.bytes / MIB:,.0f} MiB"

    def copy(self, source: str, destination: str) -> None:
        """Copy one file or link, unless it is there already, unreadable, special or too large."""
        if os.path.lexists(destination):
            return
        try:
            info = os.lstat(source)
            if stat.S_ISLNK(info.st_mode):
                os.symlink(os.readlink(source), destination)
                self.links += 1
            elif not stat.S_ISREG(info.st_mode):
                self.special += 1
            elif info.st_size > self.largest or self.bytes + info.st_size > self.budget:
                self.left_out += 1
            else:
                self._copy_content(source, destination, info)
        except PermissionError:
            self.unreadable += 1
        except FileNotFoundError:
            self.left_out += 1  # The host changes while we look at it.

    def _copy_content(self, source: str, destination: str, info: os.stat_result) -> None:
        shutil.copyfile(source, destination)
        # Owner-readable and -writable, so that an ordinary user can commit and change it.
        os.chmod(destination, stat.S_IMODE(info.st_mode) | 0o600)
        self.files += 1
        self.bytes += info.st_size
        if self.files % 100 == 0:
            self.report(str(self))

    def copy_tree(self, source: str, destination: str) -> None:
        """Copy a directory with all below it; links stay links."""
        try:
            entries = sorted(os.scandir(source), key=lambda entry: entry.name)
        except PermissionError:
            self.unreadable += 1
            return
        except (FileNotFoundError, NotADirectoryError):
            return
        if os.path.lexists(destination) and not os.path.isdir(destination):
            return
        os.makedirs(destination, exist_ok=True)
        for entry in entries:
            target = os.path.join(destination, entry.name)
            if entry.is_dir(follow_symlinks=False):
                self.copy_tree(entry.path, target)
            else:
                self.copy(entry.path, target)

    def copy_directory(self, source: str, destination: str, *, suffix: str = "") -> None:
        """Copy the files and links of one directory, not what is below; ``suffix`` in their names."""
        if os.path.islink(source) or not os.path.isdir(source):
            return
        os.makedirs(destination, exist_ok=True)
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            if suffix in entry.name and not entry.is_dir(follow_symlinks=False):
                self.copy(entry.path, os.path.join(destination, entry.name))


def gather_host(gathering: Gathering, root: str) -> None:
    """Fill ``root`` with programs, libraries, time zones and settings of this host."""
    gathering.copy_tree("/usr/share/zoneinfo", f"{root}/usr/share/zoneinfo")
    gathering.copy_directory("/usr/bin", f"{root}/usr/bin")
    gathering.copy_directory("/usr/sbin", f"{root}/usr/sbin")
    triplet = sysconfig.get_config_var("MULTIARCH")
    for directory in ("/usr/lib", "/usr/lib64", *([f"/usr/lib/{triplet}"] if triplet else [])):
        gathering.copy_directory(directory, root + directory, suffix=".so")
    os.makedirs(f"{root}/usr/etc", exist_ok=True)
    for name in HARMLESS_ETC:
        if os.path.isfile(f"/etc/{name}"):
            gathering.copy(os.path.realpath(f"/etc/{name}"), f"{root}/usr/etc/{name}")
    for path in ("/usr/lib/os-release", "/etc/os-release"):
        if os.path.isfile(path):
            gathering.copy(os.path.realpath(path), f"{root}/usr/lib/os-release")


def gather_tree(gathering: Gathering, tree: str, root: str) -> None:
    """Fill ``root`` with the root file system ``tree``, brought into the /usr-merged shape."""
    for name in sorted(os.listdir(tree)):
        source = os.path.join(tree, name)
        if os.path.islink(source) or not os.path.isdir(source):
            continue
        if name in MERGED:
            gathering.copy_tree(source, f"{root}/usr/{name}")
        elif name == "etc":
            gathering.copy_tree(source, f"{root}/usr/etc")
        elif name not in STATE and name not in ROOT_LINKS:
            gathering.copy_tree(source, f"{root}/{name}")


def complete(gathering: Gathering, root: str, *, kernels: str) -> str:
    """Add what makes the tree deployable: kernel, links, mount points, the demo's settings.

    Args:
        gathering: Counts what is copied.
        root: The tree.
        kernels: A directory that may hold ``vmlinuz-VERSION`` files.

    Returns:
        A sentence on where the kernel comes from.
    """
    for name in MERGED:
        if os.path.isdir(f"{root}/usr/{name}") or name in ("bin", "lib", "sbin"):
            os.makedirs(f"{root}/usr/{name}", exist_ok=True)
            _link(f"usr/{name}", f"{root}/{name}")
    for name in EMPTY_DIRECTORIES:
        os.makedirs(f"{root}/{name}", exist_ok=True)
    os.chmod(f"{root}/tmp", 0o1777)
    for name, target in ROOT_LINKS.items():
        _link(target, f"{root}/{name}")
    os.makedirs(f"{root}/{SETTINGS}", exist_ok=True)
    write(f"{root}/{NETWORK}", "method=auto\n")
    write(f"{root}/{CHANNEL}", "channel=stable\nrelease=1\n")
    if not os.path.lexists(f"{root}/usr/lib/os-release"):
        write(f"{root}/usr/lib/os-release", OS_RELEASE)
    return _add_kernel(gathering, root, kernels)


def change(root: str) -> str:
    """Turn release 1 into release 2; returns a sentence on what differs."""
    programs = sorted(
        path for path in _regular_files(f"{root}/usr/bin") if os.path.getsize(path) < MIB
    )[::20]
    for path in programs:
        _append(path, b"\n# release 2\n")  # Harmless at the end of an ELF image, too.
    write(f"{root}/usr/bin/gateway-diagnose", "#!/bin/sh\necho all well\n")
    os.chmod(f"{root}/usr/bin/gateway-diagnose", 0o755)
    write(f"{root}/{CHANNEL}", "channel=stable\nrelease=2\n")
    write(f"{root}/usr/etc/gateway/diagnose.conf", "interval=60\n")
    for path in _regular_files(f"{root}/usr/lib/modules"):
        if os.path.basename(path).startswith("initramfs"):
            _append(path, b"\nrelease 2\n")
    return f"{len(programs)} programs rebuilt, one new; another ramdisk; new defaults in /usr/etc"


def write(path: str, text: str) -> None:
    """Replace a file's content."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _regular_files(root: str) -> Iterator[str]:
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield path


def _append(path: str, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def _link(target: str, path: str) -> None:
    if not os.path.lexists(path):
        os.symlink(target, path)


def _add_kernel(gathering: Gathering, root: str, kernels: str) -> str:
    modules = f"{root}/usr/lib/modules"
    if os.path.isdir(modules):
        for version in sorted(os.listdir(modules)):
            if os.path.isfile(f"{modules}/{version}/vmlinuz"):
                if not os.path.exists(f"{modules}/{version}/initramfs.img"):
                    write(f"{modules}/{version}/initramfs.img", _RAMDISK)
                return (
                    f"the kernel is the tree's own, {version}; its ramdisk is kept or stood in for"
                )
    for path in _kernel_images(kernels):
        version = os.path.basename(path).removeprefix("vmlinuz-")
        os.makedirs(f"{modules}/{version}", exist_ok=True)
        gathering.copy(path, f"{modules}/{version}/vmlinuz")
        if os.path.exists(f"{modules}/{version}/vmlinuz"):
            write(f"{modules}/{version}/initramfs.img", _RAMDISK)
            return f"the kernel is {path}; the ramdisk is a stand-in"
    os.makedirs(f"{modules}/0.0.0-demo", exist_ok=True)
    write(f"{modules}/0.0.0-demo/vmlinuz", _KERNEL)
    write(f"{modules}/0.0.0-demo/initramfs.img", _RAMDISK)
    return "no readable kernel here: text files stand in for kernel and ramdisk"


def _kernel_images(directory: str) -> list[str]:
    if not os.path.isdir(directory):
        return []
    names = sorted(name for name in os.listdir(directory) if name.startswith("vmlinuz-"))
    return [f"{directory}/{name}" for name in names]
