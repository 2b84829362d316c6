"""The system that an image holds, made in a directory first."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from ostree.errors import ImageError
from ostree.formats.grub import format_grub_config
from ostree.formats.refspec import looks_like_checksum
from ostree.formats.sysroot_config import parse_config
from ostree.image.fstab import add_mounts
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions
from ostree.sysroot.settings import SysrootSettings
from ostree.sysroot.sysroot import Sysroot
from ostree.system.files import open_directory, read_file, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.events import Listener
    from ostree.image.fstab import Mount

_FSTAB = "etc/fstab"
_MAX_FSTAB = 1 << 20
#: Of systemd-boot.
_LOADER_CONFIG = "timeout 3\nauto-firmware no\n"


class SystemRequest(NamedTuple):
    """A system to be made.

    Attributes:
        repository: Where the commit is.
        ref: Which one: a ref or a checksum.
        stateroot: Where to it is deployed.
        bootloader: ``[sysroot] bootloader`` of the new system.
        kernel_arguments: In their order.
        remote: The remote that updates come from, and its URL, if any.
        remote_options: Further options of it.
        tries: ``[sysroot] boot-counting-tries`` of the new system.
    """

    repository: str
    ref: str
    stateroot: str
    bootloader: str
    kernel_arguments: Sequence[str]
    remote: tuple[str, str] | None = None
    remote_options: Sequence[tuple[str, str]] = ()
    tries: int = 0


class MadeSystem(NamedTuple):
    """What was made.

    Attributes:
        deployment: The path of the deployment, relative to the root.
        checksum: Of the commit.
    """

    deployment: str
    checksum: str


def make_system(root: str, request: SystemRequest, on_event: Listener) -> MadeSystem:
    """Make a system with one deployment in an empty directory.

    Raises:
        OSTreeError: as pulls and deployments.
    """
    from ostree.transfer.options import PullOptions
    from ostree.transfer.pull_local import pull_local

    Sysroot.init_fs(root, epoch=1)
    _prepare_loader(root, request.bootloader)
    # The immutable attribute is not for a work directory, nor does it get into the image from it.
    # Nothing boots from the directory: no file system of this machine has to be synced or frozen.
    settings = SysrootSettings(immutable=False, sync=False)
    with Sysroot.open(root, settings=settings, on_event=on_event) as sysroot:
        sysroot.init_stateroot(request.stateroot)
        _configure(sysroot, request)
        remote = None if request.remote is None else request.remote[0]
        options = PullOptions(override_remote_name=remote, fsync=False)
        pull_local(sysroot.repo, request.repository, [_exactly(request)], options, on_event)
        deployment = sysroot.deploy(
            request.ref if remote is None else f"{remote}:{request.ref}",
            stateroot=request.stateroot,
            kernel_arguments=KernelArgumentOptions(append=request.kernel_arguments),
        )
        if request.bootloader == "grub2":
            _write_grub_config(sysroot)
        return MadeSystem(deployment.path, str(deployment.checksum))


def _exactly(request: SystemRequest) -> str:
    """The ref with the commit that it has now: a pull would believe a summary that is not up to date.

    Raises:
        OSTreeError: there is no such repository or ref.
    """
    from ostree.repo.repository import Repo

    with Repo.open(request.repository) as repo:
        checksum = repo.resolve(request.ref)
    return request.ref if looks_like_checksum(request.ref) else f"{request.ref}@{checksum}"


def _prepare_loader(root: str, bootloader: str) -> None:
    """What has to be there before the first deployment, or the boot loader is not found (boot §3)."""
    boot = os.path.join(root, "boot")
    if bootloader == "uboot":
        os.mkdir(f"{boot}/loader.0", 0o755)
        os.symlink("loader.0", f"{boot}/loader")
        with open(f"{boot}/loader.0/uEnv.txt", "wb"):
            pass
        os.symlink("loader/uEnv.txt", f"{boot}/uEnv.txt")
    elif bootloader == "grub2":
        os.mkdir(f"{boot}/grub", 0o755)
        os.symlink("../loader/grub.cfg", f"{boot}/grub/grub.cfg")
    elif bootloader == "systemd-boot":
        # Where the partition will be mounted.
        os.makedirs(f"{boot}/efi/loader/entries")
        with open(f"{boot}/efi/loader/loader.conf", "w", encoding="ascii") as file:
            file.write(_LOADER_CONFIG)


def _write_grub_config(sysroot: Sysroot) -> None:
    """Make the first ``grub.cfg``, and have the system make the next ones.

    Not with a tree's own ``grub-mkconfig``, which would look at the disks of this machine.
    """
    entries = [deployment.entry for deployment in sysroot.deployments]
    tries = parse_config(sysroot.repo.config.keyfile).tries
    # Where /boot is a file system of its own, the link boot/boot makes this path right as well.
    text = format_grub_config(entries, prefix="/boot", tries=tries)
    replace_file("boot/loader/grub.cfg", text.encode(), sysroot.root_fd, sync=False)
    _set(sysroot, "bootloader", "grub2")


def _configure(sysroot: Sysroot, request: SystemRequest) -> None:
    writes_itself = request.bootloader in {"uboot", "systemd-boot"}
    _set(sysroot, "bootloader", request.bootloader if writes_itself else "none")
    if request.tries:
        _set(sysroot, "boot-counting-tries", str(request.tries))
    if request.remote is not None:
        name, url = request.remote
        sysroot.repo.remotes.add(name, [("url", url), *request.remote_options])


def _set(sysroot: Sysroot, key: str, value: str) -> None:
    keyfile = sysroot.repo.config.keyfile.copy()
    keyfile.set_string("sysroot", key, value)
    sysroot.repo.save_config(keyfile)


def add_to_fstab(root: str, deployment: str, mounts: Sequence[Mount]) -> None:
    """Have a deployment mount file systems, each at a directory that its tree has.

    Raises:
        ImageError: the tree lacks such a directory.
    """
    fd = open_directory(os.path.join(root, deployment))
    try:
        for place in (mount.place for mount in mounts):
            # What is below /boot is no part of the tree.
            if not place.startswith("/boot/") and not _is_directory(place.lstrip("/"), fd):
                raise ImageError(
                    f"The tree has no directory {place}, at which a partition is to be mounted; "
                    "nobody can make it in a running system"
                )
        old = _read_fstab(fd)
        new = add_mounts(old, mounts)
        if new != old:
            replace_file(_FSTAB, new.encode("utf-8", "surrogateescape"), fd)
    finally:
        os.close(fd)


def _is_directory(path: str, dir_fd: int) -> bool:
    """Whether it is one, and no link: that could lead out of the tree."""
    try:
        return stat.S_ISDIR(os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _read_fstab(deployment_fd: int) -> str:
    """What the tree mounts.

    Raises:
        ImageError: that is no file.
    """
    try:
        info = os.stat(_FSTAB, dir_fd=deployment_fd, follow_symlinks=False)
    except FileNotFoundError:
        return ""
    if not stat.S_ISREG(info.st_mode):
        raise ImageError(f"/{_FSTAB} of the tree is no file")
    return read_file(_FSTAB, deployment_fd, limit=_MAX_FSTAB).decode("utf-8", "surrogateescape")
