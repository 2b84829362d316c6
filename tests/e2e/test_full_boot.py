"""A ``/boot`` of its own that is too small, and a sysroot without inodes: refused before a change."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support import processes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.root

MOUNT = (
    'mount -t tmpfs -o "$0" none "$1" && mkdir "$1/boot" && '
    'mount -t tmpfs -o "$2" none "$1/boot" && shift 2 && exec "$@"'
)
CODE = """
    import os, sys
    from ostree.errors import OSTreeError
    from ostree.sysroot.settings import SysrootSettings
    from ostree.sysroot.sysroot import Sysroot
    root, lint = sys.argv[1:]
    Sysroot.init_fs(root, epoch=1)
    tree = f"{root}/tree"
    for name, size in (
        ("usr/lib/modules/6/vmlinuz", 300_000), ("usr/lib/modules/6/initramfs.img", 300_000),
        ("usr/lib/os-release", 0), ("usr/etc/conf", 10), ("sysroot/x", 0),
    ):
        os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
        with open(f"{tree}/{name}", "wb") as file:
            file.write(os.urandom(size) if size else b"ID=x")
    os.symlink("sysroot/ostree", f"{tree}/ostree")
    for number in range(40):
        os.makedirs(f"{tree}/usr/share/{number}")
    settings = SysrootSettings(immutable=False, sync=False)
    def state():
        return sorted(os.path.join(path, name) for path, directories, files in os.walk(root)
                      for name in directories + files if "/repo/" not in path)
    with Sysroot.open(root, settings=settings) as sysroot:
        sysroot.init_stateroot("os")
        with sysroot.repo.transaction() as transaction:
            checksum = transaction.commit(transaction.import_directory(tree), timestamp=1)
            transaction.set_ref("main", checksum)
        before = state()
        try:
            sysroot.deploy("main", stateroot="os", lint=lint == "on")
        except OSTreeError as error:
            print(type(error).__name__, error)
        print(state() == before, [d.checksum == checksum for d in sysroot.deployments])
"""


def deploy(directory: Path, sysroot: str, boot: str, *, lint: str = "on") -> list[str]:
    """What comes of a deployment on file systems of these sizes (options of tmpfs)."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("mounts of our own need root and unshare (Debian: util-linux)")
    (directory / "disk").mkdir()
    disk = str(directory / "disk")
    prefix = ("unshare", "-m", "sh", "-c", MOUNT, sysroot, disk, boot)
    if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no mounts of our own here")

    done = processes.run(CODE, disk, lint, prefix=prefix)

    assert done.stderr == ""
    return done.stdout.replace("\u00a0", " ").splitlines()


def test_room_for_all(tmp_path: Path) -> None:
    assert deploy(tmp_path, "size=20m", "size=2m") == ["False [True]"]


def test_no_room_in_boot(tmp_path: Path) -> None:
    lines = deploy(tmp_path, "size=20m", "size=400k")

    assert lines == [
        (
            "SpaceError Checking space: Not enough space in /boot: 606.2 kB are needed, "
            "409.6 kB are free, a cleanup frees 0 bytes"
        ),
        "True []",
    ]


def test_no_inodes_in_the_sysroot(tmp_path: Path) -> None:
    lines = deploy(tmp_path, "size=20m,nr_inodes=140", "size=2m")

    assert lines[0].startswith("SpaceError Checking space: Not enough inodes in the sysroot: ")
    assert lines[1] == "True []"


def test_without_the_check(tmp_path: Path) -> None:
    """The disk says so itself, later."""
    lines = deploy(tmp_path, "size=20m", "size=400k", lint="off")

    assert lines[0].endswith("No space left on device")
    assert lines[1] == "False []"


def test_a_boot_that_cannot_be_written_to(tmp_path: Path) -> None:
    lines = deploy(tmp_path, "size=20m", "size=2m,ro")

    assert lines[0].startswith("SysrootError Installing kernel: ")
    assert lines[0].endswith("Read-only file system")
    assert lines[1] == "False []"
