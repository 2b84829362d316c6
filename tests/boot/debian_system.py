"""Releases of a real Debian with systemd, our command among its packages, and the first disk image.

Its maker follows ``docs/device-guide.md``: ``mmdebstrap``, ``ostree tree prepare``, ``ostree ramdisk
build``, ``ostree commit``, ``ostree image build``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from boot.machine import AMD64
from boot.packages import REPOSITORY
from boot.vendor import REF
from boot.vendor import REPOSITORY as SERVED

if TYPE_CHECKING:
    from boot.steps import Steps

#: ``busybox-static`` is for our ramdisk.
_PACKAGES = (
    *("linux-image-cloud-amd64", "systemd-sysv", "udev", "dbus", "kmod", "iproute2"),
    *("busybox-static", "python3", "python3-pycurl", "python3-cryptography", "libarchive13"),
)
_EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
#: What Debian has not, or too old.
_WHEELS = ("bsdiff4", "deflate", "libarchive-c")
_PYTHON = "usr/lib/python3/dist-packages"

_LAUNCHER = """#!/usr/bin/python3 -I
import sys
from ostree.cli.main import run
sys.exit(run())
"""
#: Root is logged in on the console, and has a shell without echo and prompt there.
_CONSOLE = """[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I dumb
"""
_PROFILE = """[ "$(tty)" = /dev/ttyS0 ] || return 0
stty -echo
dmesg -n 1
PS1= PS2=
export PS1 PS2
echo "=== Debian $(cat /usr/lib/release) has a console"
exec sh -i
"""
#: A shell is there.
CONSOLE = r"=== Debian (\S+) has a console\n"

_NETWORK = """[Match]
Name=en* eth*

[Network]
DHCP=ipv4
"""
_HEALTH_CHECK = """#!/bin/sh
# Written again by each good start: a test reads it.
cat /usr/lib/release >/var/lib/healthy
"""


class DebianSystem:
    """Builds releases, publishes them, and makes the first disk image.

    Args:
        work: An empty directory.
        ostree: Our command on this machine.
        steps: Gets how long each step takes.

    Attributes:
        served: What is to be served; the repository is in there.
    """

    def __init__(self, work: Path, ostree: str, steps: Steps) -> None:
        self._work = work
        self._ostree = ostree
        self._steps = steps
        self._rootfs = work / "rootfs"
        self.served = work / "srv"
        self.served.mkdir()
        self._repository = self.served / SERVED
        self._run("init", f"--repo={self._repository}", "--mode=archive")
        # Nothing of this has to outlive this machine.
        self._run("config", f"--repo={self._repository}", "set", "core.fsync", "false")
        with steps.step("mmdebstrap"):
            archive = bootstrapped()
        with steps.step("make the tree"):
            self._make_root(archive)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._ostree, *arguments], check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def _make_root(self, archive: Path) -> None:
        rootfs = self._rootfs
        rootfs.mkdir()
        subprocess.run(["tar", "-C", rootfs, "--exclude=./dev/*", "-xf", archive], check=True)
        _install_ostree(rootfs, self._work / "wheels")
        self._run("admin", "install-units", f"--destdir={rootfs}")
        _configure(rootfs)
        units = ["systemd-networkd.service", "ostree-health-check.service"]
        enable = ["systemctl", f"--root={rootfs}", "--quiet", "enable", *units]
        subprocess.run(enable, check=True, capture_output=True)
        self._run("tree", "prepare", "--compile-python", str(rootfs))

    def publish(self, version: str, *, etc_directory: str = "") -> str:
        """Commit a release; gives its checksum.

        Args:
            version: A word.
            etc_directory: A directory that it has in ``/etc``, and the next one has not.
        """
        with self._steps.step(f"publish {version}"):
            self._change_root(version)
            directory = self._rootfs / "usr/etc" / etc_directory
            if etc_directory:
                directory.mkdir()
            commit = self._commit(version)
            if etc_directory:
                directory.rmdir()
        return commit

    def _change_root(self, version: str) -> None:
        """Have the tree tell its version, by its ramdisk as well."""
        rootfs = self._rootfs
        _replace(rootfs / "usr/lib/release", f"{version}\n")
        _replace(rootfs / "usr/etc/release-note", f"default of {version}\n")
        (modules,) = (rootfs / "usr/lib/modules").iterdir()
        (modules / "initramfs.img").unlink(missing_ok=True)
        build = ["ramdisk", "build", f"--root={rootfs}", f"--release={version}"]
        self._run(*build, f"--output={modules}/initramfs.img")

    def _commit(self, version: str) -> str:
        repo = f"--repo={self._repository}"
        metadata = f"--add-metadata-string=version={version}"
        what = [f"--branch={REF}", "--bootable", metadata, str(self._rootfs)]
        commit = self._run("commit", repo, *what)
        self._run("summary", "-u", repo)
        return commit.strip()

    def make_disk(self) -> Path:
        """An image with the release that was published last."""
        image = self._work / "disk.img"
        what = [f"--repo={self._repository}", f"--ref={REF}", "--os=debian"]
        how = ["--bootloader=uboot", "--table=gpt", "--layout=boot-partition"]
        kargs = f"--kargs=console={AMD64.console} panic=5 quiet {AMD64.arguments}"
        with self._steps.step("image build"):
            self._run("image", "build", *what, *how, kargs, f"--output={image}")
        return image


def bootstrapped() -> Path:
    """What mmdebstrap makes, as an archive; made once."""
    if not shutil.which("mmdebstrap"):
        pytest.skip("mmdebstrap (Debian: mmdebstrap) is not installed")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_PACKAGES)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED]
    # Nothing is lost if it has to be made once more.
    command += ["--dpkgopt=force-unsafe-io"]
    name = hashlib.sha256("\n".join(command).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("OSTREE_BOOT_CACHE", REPOSITORY / ".boot-cache"))
    archive = cache / f"debian-{name}.tar"
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        new = archive.with_suffix(".new.tar")
        done = subprocess.run(
            [*command, "bookworm", str(new)], check=False, capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"Debian cannot be installed: {done.stderr[-300:]}")
        new.rename(archive)
    return archive


def _install_ostree(rootfs: Path, wheels: Path) -> None:
    """Put our package, and what Debian lacks of what it needs, among those of Debian's Python."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "-w", str(wheels), str(REPOSITORY)]
    subprocess.run(wheel, check=True, capture_output=True)
    (ours,) = wheels.iterdir()
    where = [
        f"--target={rootfs / _PYTHON}",
        "--no-compile",
        "--no-deps",
        "--root-user-action=ignore",
    ]
    which = ["--python-version=3.11", "--implementation=cp", "--only-binary=:all:"]
    which += [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
    which += [f"--platform={name}_x86_64" for name in ("manylinux_2_17", "manylinux_2_28")]
    install = [*pip, "install", *where, *which, str(ours), *_WHEELS]
    done = subprocess.run(install, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the wheels cannot be fetched: {done.stderr[-300:]}")
    # Its interpreter would be that of this machine.
    shutil.rmtree(rootfs / _PYTHON / "bin", ignore_errors=True)
    _write(rootfs / "usr/bin/ostree", _LAUNCHER, mode=0o755)


def _configure(rootfs: Path) -> None:
    etc = rootfs / "etc"
    _write(etc / "fstab", "")
    _write(etc / "hostname", "device\n")
    _write(etc / "systemd/system/serial-getty@ttyS0.service.d/autologin.conf", _CONSOLE)
    _write(etc / "systemd/network/10-all.network", _NETWORK)
    _write(etc / "profile.d/console.sh", _PROFILE)
    check = rootfs / "usr/lib/ostree/health.d/green.d/10-note"
    _write(check, _HEALTH_CHECK, mode=0o755)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _replace(path: Path, text: str) -> None:
    """Write a file anew: its old self may be shared with a repository."""
    path.unlink(missing_ok=True)
    _write(path, text)
