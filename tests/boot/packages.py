"""What the booted systems are made of: Debian's packages and wheels, fetched once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from boot.machine import Architecture

REPOSITORY = Path(__file__).resolve().parents[2]

#: A Python for the small system, with the libraries that its modules need.
PYTHON_PACKAGES = (
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libc6",
    "zlib1g",
    "libexpat1",
    "libssl3",
    "libffi8",
    "liblzma5",
    "libbz2-1.0",
    "libcrypt1",
    "libuuid1",
    "libgcc-s1",
)
#: Where there are no wheels, Debian's: without bsdiff4 and deflate, as on a device that lacks them.
LIBRARY_PACKAGES = (
    *("python3-pycurl", "python3-cryptography", "python3-cffi-backend"),
    # What libcurl needs.
    *(
        "libcurl3-gnutls",
        "libbrotli1",
        "libcom-err2",
        "libgmp10",
        "libgnutls30",
        "libgssapi-krb5-2",
    ),
    *("libhogweed6", "libidn2-0", "libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0"),
    *("libldap-2.5-0", "libnettle8", "libnghttp2-14", "libp11-kit0", "libpsl5", "librtmp1"),
    *("libsasl2-2", "libssh2-1", "libtasn1-6", "libunistring2", "libzstd1"),
)
WHEELS = ("pycurl", "cryptography", "cffi", "pycparser", "bsdiff4", "deflate")
#: Architectures for which there are wheels.
_PLATFORMS = {"amd64": "x86_64", "arm64": "aarch64"}

#: Of no use in the small system.
_DROPPED = (
    *(f"usr/lib/python3.11/{name}" for name in ("test", "idlelib", "lib2to3", "tkinter")),
    *(f"usr/lib/python3.11/{name}" for name in ("turtledemo", "ensurepip", "pydoc_data")),
    *("usr/share", "usr/lib/binfmt.d"),
)
_STAMP = "complete-3"


def fetched(architecture: Architecture) -> Path:
    """The directory with ``kernel/``, ``root/`` and ``overlay/`` of an architecture.

    ``overlay/`` is a Python for a system's tree, with libraries that our command uses.
    """
    cache = Path(os.environ.get("OSTREE_BOOT_CACHE", REPOSITORY / ".boot-cache"))
    directory = cache / architecture.name
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        # Another process may be about to fetch the same.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / _STAMP).exists():
            _fetch(architecture, directory)
    return directory


def _fetch(architecture: Architecture, directory: Path) -> None:
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is missing: kernels are fetched from Debian")
    program = Path(__file__).parent / "fetch-packages"
    command = [
        str(program),
        architecture.name,
        str(directory),
        architecture.kernel,
        *PYTHON_PACKAGES,
        *(() if architecture.name in _PLATFORMS else LIBRARY_PACKAGES),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"Debian's packages cannot be fetched: {done.stderr[-300:]}")
    _make_overlay(architecture, directory)
    (directory / _STAMP).touch()


def _make_overlay(architecture: Architecture, directory: Path) -> None:
    root, overlay = directory / "root", directory / "overlay"
    shutil.rmtree(overlay, ignore_errors=True)
    shutil.copytree(root / "usr", overlay / "usr", symlinks=True)
    for name in ("lib", "lib64"):
        # /lib and /usr/lib are one directory in the small system.
        if (root / name).is_dir():
            shutil.copytree(root / name, overlay / "usr" / name, symlinks=True, dirs_exist_ok=True)
    for name in _DROPPED:
        shutil.rmtree(overlay / name, ignore_errors=True)
    for conversions in overlay.glob("usr/lib/*/gconv"):
        # libc's, of which Python has its own.
        shutil.rmtree(conversions)
    (overlay / "usr/bin/python3").symlink_to("python3.11")
    if architecture.name in _PLATFORMS:
        target = overlay / "usr/lib/python3/dist-packages"
        _unpack_wheels(_PLATFORMS[architecture.name], directory / "wheels", target)
    compile_python(overlay, "usr/lib/python3.11", "usr/lib/python3")


def compile_python(tree: Path, *places: str) -> None:
    """Compile what is in places of a tree, so that the byte code counts whatever the times are.

    Files of a deployment have the time 0, with which byte code never matches its source otherwise.
    """
    # That of the small system, whose byte code no other one makes.
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if python is None:
        pytest.skip("python3.11 is not installed, which compiles for that of the small system")
    command = [python, "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash"]
    where = ["-s", str(tree), "-p", "/", *(str(tree / place) for place in places)]
    subprocess.run([*command, *where], check=False, stdout=subprocess.DEVNULL)


def _unpack_wheels(machine: str, wheels: Path, target: Path) -> None:
    platforms = [
        f"manylinux_2_17_{machine}",
        f"manylinux2014_{machine}",
        f"manylinux_2_28_{machine}",
    ]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    command += ["--no-deps", "--python-version=3.11", "--implementation=cp"]
    command += [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
    command += [f"--platform={platform}" for platform in platforms]
    done = subprocess.run(
        [*command, "--dest", str(wheels), *WHEELS], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"the wheels of {machine} cannot be fetched: {done.stderr[-300:]}")
    for wheel in sorted(wheels.iterdir()):
        shutil.unpack_archive(wheel, target, "zip")
