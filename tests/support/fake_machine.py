"""A machine that starts with our ramdisk, in namespaces of its own instead of an emulator.

The ramdisk is unpacked and becomes the root; its ``/init`` is process 1.  What is not the ramdisk's
is the test's: the kernel's command line, devices, and a disk in a file behind a loop device.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ostree.boot.programs import Program, find_busybox
from ostree.boot.ramdisk_layout import ramdisk_members
from ostree.boot.scripts import RAMDISK_SCRIPTS, read_script
from ostree.errors import OSTreeError
from ostree.formats import cpio

if TYPE_CHECKING:
    from pathlib import Path

STATEROOT = "testos"
BOOTCSUM = "c" * 64
COMMIT = "d" * 64
TARGET = f"/ostree/boot.1/{STATEROOT}/{BOOTCSUM}/0"

#: Before the ramdisk: mounts that the test prepares, where the ramdisk finds them mounted already.
START = """
set -e
mount --make-rprivate /
cd "$1"
case $2 in
tmpfs)
    mount -t tmpfs tmpfs root
    cp -a ramdisk/. root
    ;;
bind) mount --bind ramdisk root ;;
disk) mount -o "$5" "/dev/${4%% *}" root ;;
esac
mount -t proc proc root/proc
mount --bind cmdline root/proc/cmdline
[ "$2" = disk ] || mount -t sysfs sysfs root/sys
rm -f root/dev/kmsg
mount -t tmpfs tmpfs root/dev
mknod root/dev/null c 1 3
cp console root/dev/console
mount --bind console root/dev/console
ln -s /proc/self/fd/2 root/dev/kmsg
for name in $6; do : >"root/dev/$name"; done
for device in $4; do cp -a "/dev/$device" root/dev; done
cd root
exec env -i /usr/sbin/chroot . "$3"
"""

#: The system: tells what it finds, and ends.
SYSTEM_INIT = """#!/bin/sh
export PATH=/usr/bin:/usr/sbin
echo "pid $$"
echo "arguments $*"
busybox hexdump -v -e '1/1 "%02x"' /run/ostree-booted | busybox sed 's/^/state /'
echo
for place in / /usr /etc /var /sysroot /boot; do
    if busybox touch $place/probe 2>/dev/null; then echo "writable $place"; fi
    busybox rm -f $place/probe
done
busybox sed 's/^/mount /' /proc/self/mountinfo
COMMANDS
echo "the end"
"""


class Started(NamedTuple):
    """What a start came to.

    Attributes:
        facts: Words that the system told, by the first word of their line; None if it never ran.
        mounts: The lines of its ``mountinfo``: mount points with root, options, type and tags.
        messages: What the ramdisk said.
        status: What process 1 ended with.
    """

    facts: dict[str, list[str]] | None
    mounts: dict[str, Mount]
    messages: str
    status: int


class Mount(NamedTuple):
    """A mount as the system sees it; ``root`` is the directory of its file system."""

    root: str
    options: set[str]
    tags: str
    type: str
    super_options: str


class FakeMachine:
    """A disk with one deployment, and a ramdisk.

    Args:
        path: An empty directory.
        busybox: For the ramdisk and the system.

    Attributes:
        sysroot: The physical root before it becomes a disk.
        deployment: The deployment in it.
        ramdisk: The ramdisk's files, to be changed by a test before it starts.
    """

    def __init__(self, path: Path, busybox: Program) -> None:
        self._path = path
        self._busybox = busybox
        self.sysroot = path / "sysroot"
        self.deployment = self.sysroot / f"ostree/deploy/{STATEROOT}/deploy/{COMMIT}.0"
        self.ramdisk = path / "ramdisk"
        for directory in ("root", "ramdisk"):
            (path / directory).mkdir()
        self._make_sysroot()
        self._unpack_ramdisk()

    def _make_sysroot(self) -> None:
        for directory in ("boot/loader.1", "ostree/repo", f"ostree/deploy/{STATEROOT}/var/tmp"):
            (self.sysroot / directory).mkdir(parents=True)
        (self.sysroot / "boot/loader").symlink_to("loader.1")
        links = self.sysroot / f"ostree/boot.1.1/{STATEROOT}/{BOOTCSUM}"
        links.mkdir(parents=True)
        (self.sysroot / "ostree/boot.1").symlink_to("boot.1.1")
        (links / "0").symlink_to(f"../../../deploy/{STATEROOT}/deploy/{COMMIT}.0")
        for name in ("boot", "dev", "etc", "proc", "run", "sys", "sysroot", "tmp", "var"):
            (self.deployment / name).mkdir(parents=True)
        for name in ("bin", "etc", "sbin"):
            (self.deployment / "usr" / name).mkdir(parents=True)
        for name in ("bin", "sbin"):
            (self.deployment / name).symlink_to(f"usr/{name}")
        busybox = self.deployment / "usr/bin/busybox"
        busybox.write_bytes(self._busybox.data)
        busybox.chmod(0o755)
        (self.deployment / "usr/bin/sh").symlink_to("busybox")
        (self.deployment / "usr/etc/default").write_text("of the commit\n")
        (self.deployment / "etc/local").write_text("of the machine\n")
        (self.sysroot / f"ostree/deploy/{STATEROOT}/var/kept").write_text("in var\n")
        self.system()

    def system(self, commands: str = "") -> None:
        """Let the system run shell commands as well."""
        init = self.deployment / "usr/sbin/init"
        init.write_text(SYSTEM_INIT.replace("COMMANDS", commands))
        init.chmod(0o755)

    def _unpack_ramdisk(self) -> None:
        scripts = {name: read_script(name) for name in RAMDISK_SCRIPTS}
        members = ramdisk_members(self._busybox, scripts, None, configuration={})
        archive = bytearray()
        for inode, (entry, content) in enumerate(members, start=1):
            archive += cpio.encode_header(entry, inode=inode, mtime=0) + content
            archive += cpio.padding(len(content))
        archive += cpio.encode_trailer(len(archive))
        unpack = ["cpio", "--extract", "--quiet"]
        subprocess.run(unpack, input=archive, cwd=self.ramdisk, check=True)

    def start(
        self,
        arguments: str = "",
        *,
        root: str | None = "root=DEVICE",
        target: str | None = TARGET,
        kind: str = "tmpfs",
        init: str = "/init",
        disk: Path | None = None,
        label: str = "the-root",
        partition: tuple[int, int] | None = None,
        typed: str = "",
        mode: str = "rw",
        files: str = "",
    ) -> Started:
        """Start it with a command line.

        Args:
            arguments: More words of it; ``DEVICE`` and ``NUMBER`` stand for the disk's.
            root: The word for the physical root.
            target: Of ``ostree=``.
            kind: ``tmpfs`` as an initramfs, ``bind`` as the image of an initrd, ``disk`` without
                any ramdisk: the disk is the root.
            init: What process 1 is.
            disk: An image; made from ``sysroot`` if not given.
            label: Of the file system that is made.
            partition: First sector and sectors of the first one on the disk: told to a kernel
                that does not read tables itself.
            typed: What is typed on the console.
            mode: How the kernel mounts the disk.
            files: Names in ``/dev`` that are files, for what the kernel has no device here.
        """
        image = disk or self.make_disk(label)
        with loop_device(image) as device:
            words = [arguments, root or "", f"ostree={target}" if target else ""]
            line = " ".join(word for word in words if word).replace("DEVICE", f"/dev/{device}")
            number = os.stat(f"/dev/{device}").st_rdev
            line = line.replace("NUMBER", f"{os.major(number)}:{os.minor(number)}")
            (self._path / "cmdline").write_text(f"{line}\n")
            # A file is written where it was read: room for what is said before somebody reads.
            (self._path / "console").write_text("\n" * 1000 + typed if typed else "")
            if partition is not None and not os.path.exists(f"/dev/{device}p1"):
                words = ["addpart", f"/dev/{device}", "1", *map(str, partition)]
                subprocess.run(words, check=True)
            nodes = [name for name in sorted(os.listdir("/dev")) if name.startswith(device)]
            nodes = [name for name in nodes if not name.removeprefix(device)[:1].isdigit()]
            unshare = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", START, "sh"]
            done = subprocess.run(
                [*unshare, str(self._path), kind, init, " ".join(nodes), mode, files],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        console = (self._path / "console").read_text(errors="replace")
        return read_console(console, done.stdout + done.stderr, done.returncode)

    def make_disk(self, label: str = "the-root", *, uuid: str | None = None) -> Path:
        """The physical root as an ext4 image."""
        image = self._path / "disk.img"
        image.unlink(missing_ok=True)
        options = ["-q", "-F", "-L", label, *(["-U", uuid] if uuid else [])]
        make = ["mkfs.ext4", *options, "-d", str(self.sysroot), str(image), "24M"]
        subprocess.run(make, check=True, capture_output=True)
        return image

    def has_on_disk(self, path: str) -> bool:
        """Whether the disk has a file as the machine left it."""
        show = ["debugfs", "-R", f"stat {path}", str(self._path / "disk.img")]
        done = subprocess.run(show, check=True, capture_output=True, text=True)
        return "Inode:" in done.stdout


class loop_device:  # noqa: N801 - used as a function in a with statement
    """The name of a loop device, as in ``loop3``, for as long as it has the image."""

    def __init__(self, image: Path) -> None:
        self._image = image

    def __enter__(self) -> str:
        attach = ["losetup", "--find", "--show", "--partscan", str(self._image)]
        done = subprocess.run(attach, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no loop device to be had: {done.stderr.strip()}")
        self._device = done.stdout.strip()
        return self._device.removeprefix("/dev/")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["losetup", "--detach", self._device], check=True)


def read_console(console: str, messages: str, status: int) -> Started:
    """What the system told on its console."""
    facts: dict[str, list[str]] = {}
    mounts = {}
    for line in console.splitlines():
        word, _, rest = line.partition(" ")
        if word == "mount":
            fields, _, tail = rest.partition(" - ")
            _, _, _, root, where, options, *tags = fields.split(" ")
            kind, _, super_options = tail.split(" ", 2)
            mounts[where] = Mount(
                root, set(options.split(",")), " ".join(tags), kind, super_options
            )
        elif word:
            facts.setdefault(word, []).append(rest)
    told = facts if "the" in facts else None
    return Started(told, mounts, messages + ("" if told else console), status)


def require_machine() -> Program:
    """The busybox for a machine; skips where namespaces, tools or a static busybox are missing."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    tools = {
        "unshare": "util-linux",
        "losetup": "mount",
        "mkfs.ext4": "e2fsprogs",
        "debugfs": "e2fsprogs",
        "cpio": "cpio",
    }
    for tool, package in tools.items():
        if not shutil.which(tool):
            pytest.skip(f"{tool} (Debian: {package}) is not installed")
    try:
        busybox = find_busybox(["/"])
    except OSTreeError as error:
        pytest.skip(f"{error} (Debian: busybox-static)")
    probe = ["unshare", "--mount", "--pid", "--fork", "mount", "--make-rprivate", "/"]
    done = subprocess.run(probe, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no mount namespaces here: {done.stderr.strip()}")
    return busybox
