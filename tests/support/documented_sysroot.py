"""The sysroot that the examples of docs/json.md show: the same checksums wherever it is made.

What is deployed are empty commits, with deployments made by hand, and the repository is one of mode
archive: ordinary users cannot make files that belong to root.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from ostree.formats import dirmeta, dirtree
from ostree.formats.gvariant import Variant
from ostree.formats.origin import new_origin
from ostree.repo.modifier import Modifier
from ostree.sysroot.creating import write_origin
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.kernel import boot_checksum, find_kernel
from ostree.sysroot.sysroot import Sysroot
from ostree.sysroot.tree_files import DirectoryFiles
from ostree.system.files import open_directory
from ostree.types import DirMeta, ObjectType, TreeId
from support.documented_repository import FIRST_TIME

if TYPE_CHECKING:
    from pathlib import Path

    from ostree.types import Checksum


def make_documented_sysroot(path: Path) -> None:
    """A physical root with the stateroot ``os`` and the deployments of version 2 and 1 in it.

    The ref ``os/next`` is a commit that can be deployed.
    """
    path.mkdir()
    Sysroot.init_fs(path, epoch=1)
    config_path = path / "ostree/repo/config"
    config_path.write_text(config_path.read_text().replace("mode=bare", "mode=archive-z2"))
    (path / "boot/loader.0").mkdir()
    (path / "boot/loader.0/uEnv.txt").touch()
    (path / "boot/loader").symlink_to("loader.0")
    with Sysroot.open(path) as sysroot:
        sysroot.init_stateroot("os")
        config = sysroot.repo.config.keyfile.copy()
        config.set_string("core", "fsync", "false")
        sysroot.repo.save_config(config)
        deployments = [_deploy(sysroot, path, number) for number in (1, 2)]
        sysroot.write_deployments(deployments[::-1])
        sysroot.clean_up()
        _commit_next(sysroot, path.parent / f"{path.name}-next")


def _deploy(sysroot: Sysroot, path: Path, number: int) -> Deployment:
    checksum = _commit(sysroot, number)
    deployment = Deployment(
        stateroot="os",
        checksum=checksum,
        serial=0,
        bootcsum="",
        origin=new_origin("origin:os/stable"),
    )
    directory = path / deployment.path
    for name, text in (
        ("usr/lib/modules/6.1/vmlinuz", "kernel"),
        ("usr/lib/modules/6.1/initramfs.img", "initramfs"),
        ("usr/lib/os-release", "ID=os\nPRETTY_NAME=Os\n"),
        ("usr/etc/conf", f"default {number}\n"),
        ("etc/conf", "local\n"),
    ):
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    fd = open_directory(str(directory))
    try:
        deployment.bootcsum = boot_checksum(
            DirectoryFiles(fd), find_kernel(DirectoryFiles(fd), device_trees=True)
        )
    finally:
        os.close(fd)
    write_origin(deployment, sysroot.root_fd)
    return deployment


def _commit_next(sysroot: Sysroot, tree: Path) -> None:
    """Commit a tree on ``os/next``."""
    for name, text in (
        ("usr/lib/modules/6.2/vmlinuz", "newer kernel"),
        ("usr/lib/modules/6.2/initramfs.img", "initramfs"),
        ("usr/lib/os-release", "ID=os\nPRETTY_NAME=Os\n"),
        ("usr/etc/conf", "default 3\n"),
        ("sysroot/.keep", ""),
    ):
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
    for directory in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
        directory.chmod(0o755)
    modifier = Modifier(owner_uid=0, owner_gid=0, no_xattrs=True)
    with sysroot.repo.transaction() as txn:
        checksum = txn.commit(
            txn.import_directory(tree, modifier=modifier),
            timestamp=FIRST_TIME + 3,
            metadata=[("version", Variant("s", "3"))],
        )
        txn.set_ref("os/next", checksum)
    shutil.rmtree(tree)


def _commit(sysroot: Sysroot, number: int) -> Checksum:
    with sysroot.repo.transaction() as txn:
        meta = txn.write_metadata(ObjectType.DIRMETA, dirmeta.encode(DirMeta(0, 0, 0o040755)))
        tree = txn.write_metadata(ObjectType.DIRTREE, dirtree.encode(dirtree.DirTree([], [])))
        checksum = txn.commit(
            TreeId(tree, meta),
            timestamp=FIRST_TIME + number,
            metadata=[("version", Variant("s", str(number)))],
        )
        txn.set_ref("origin:os/stable", checksum)
    return checksum
