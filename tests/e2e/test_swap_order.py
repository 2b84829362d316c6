"""In which order a new list reaches the disk, told by the system calls.

The file systems are those of the test: what is frozen here is nothing of the machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.loop_mounts import make_disk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.root

SCRIPT = """
set -e
cd "$1"; ostree="$2 -m ostree"; kernel=$3; separate=$4
if [ -n "$separate" ]; then mkdir boot; mount -o loop "$separate" boot; fi
mkdir -p tree/usr/lib/modules/6 tree/usr/etc
echo 'ID=x' >tree/usr/lib/os-release
echo ramdisk >tree/usr/lib/modules/6/initramfs.img
$ostree admin init-fs --modern .
$ostree admin os-init --sysroot=. os
for release in 1 2 3; do
    echo "kernel" >tree/usr/lib/modules/6/vmlinuz
    [ "$kernel" = same ] || echo $release >tree/usr/lib/modules/6/vmlinuz
    echo $release >tree/usr/data
    $ostree commit --repo=ostree/repo -b main tree >&2
    strace -f -qq -o "$5.$release" -e \
        trace=syncfs,ioctl,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir \
        $ostree admin deploy --sysroot=. --os=os main
done
cat "$5.3"
"""
#: Where the file system of /boot is another one it is synced after that of the repository.
FULL = "syncfs{} empty exchange(boot/loader) fsync empty unlink(boot/loader.tmp) remove-old"
SUB = "syncfs{} empty exchange(ostree/boot.0) fsync{} unlink(ostree/boot.0.tmp) remove-old"


def trace(tmp_path: Path, kernel: str, *, separate: bool) -> str:
    """The steps of the third deployment, in short words."""
    if not shutil.which("strace"):
        pytest.skip("strace (Debian: strace) is not installed")
    boot = ""
    if separate:
        make_disk(tmp_path, "boot")
        boot = str(tmp_path / "boot.img")
    prefix = make_disk(tmp_path)
    environment = {**os.environ, "OSTREE_SYSROOT_DEBUG": "mutable-deployments"}
    del environment["OSTREE_SYSROOT_OPTS"]
    done = subprocess.run(
        [
            *prefix,
            *("sh", "-c", SCRIPT, "sh", str(tmp_path / "disk"), sys.executable, kernel, boot),
            str(tmp_path / "trace"),  # not on a disk that is frozen
        ],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return " ".join(word for line in done.stdout.splitlines() if (word := shorten(line)))


def shorten(line: str) -> str:
    """One word for a system call that matters here, nothing for others."""
    for pattern, word in (
        (r"ioctl\(\d+, (?:EXT4_IOC_CHECKPOINT|_IOC\(_IOC_WRITE, 0x66, 0x2b, 0x4\))", "empty"),
        (r"ioctl\(\d+, FIFREEZE", "freeze"),
        (r"ioctl\(\d+, FITHAW", "thaw"),
        (r"syncfs\(", "syncfs"),
        (r'renameat2\(\d+, "(\S+)\.tmp", .*RENAME_EXCHANGE', r"exchange(\1)"),
        (r'unlink(?:at)?\(.*"((?:boot/loader|ostree/boot\.\d)\.tmp)"', r"unlink(\1)"),
        (r"fdatasync\(", "fdatasync"),
        (r"fsync\(", "fsync"),
        (r'(?:unlinkat|rmdir)\(\d+, "(?:boot/loader\.\d|ostree/boot\.\d[.\d]*)"', "remove-old"),
    ):
        match = re.search(pattern, line)
        if match and " = 0" in line:
            return match.expand(word)
    return ""


@pytest.mark.parametrize("separate", [False, True])
def test_full_swap(tmp_path: Path, *, separate: bool) -> None:
    """Everything new in place, one exchange, that in place, and only then the old ones go."""
    words = trace(tmp_path, "new", separate=separate)

    assert FULL.format(" syncfs" if separate else "") in words
    # No file is synced for itself, but a kernel before it gets its name.
    kernels = 2 if separate else 0
    assert words.partition("exchange")[0].count("fdatasync") == kernels


@pytest.mark.parametrize("separate", [False, True])
def test_sub_swap(tmp_path: Path, *, separate: bool) -> None:
    """Likewise; without /boot on it the root file system, whose journal is replayed, is synced."""
    wanted = SUB.format(*((" syncfs", "") if separate else ("", " empty")))
    assert wanted in trace(tmp_path, "same", separate=separate)
