"""File systems of a test's own, in a mount namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def make_disk(directory: Path, name: str = "disk", *, size: int = 64 << 20) -> tuple[str, ...]:
    """A command prefix that mounts an ext4 file system on ``directory/name`` for one command.

    Whatever the command does to it stays in the file ``directory/name.img``.
    """
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    for program, package in (("unshare", "util-linux"), ("mkfs.ext4", "e2fsprogs")):
        if not shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin"):
            pytest.skip(f"{program} (Debian: {package}) is not installed")
    image, mount_point = directory / f"{name}.img", directory / name
    mount_point.mkdir()
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", str(image)], check=True)
    script = 'mount -o loop "$0" "$1" && shift && exec "$@"'
    prefix = (
        *("unshare", "--mount", "--propagation", "private", "sh", "-c", script),
        *(str(image), str(mount_point)),
    )
    probe = subprocess.run([*prefix, "true"], check=False, capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"no loop mounts here: {probe.stderr.strip()}")
    return prefix
