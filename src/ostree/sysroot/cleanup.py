"""Removal of what no deployment in the list needs (deployments §10)."""

from __future__ import annotations

import os
import stat

from ostree.formats.deployment_name import parse_deployment_target
from ostree.sysroot.creating import directory_names
from ostree.sysroot.immutable import set_immutable
from ostree.sysroot.layout import (
    bootlinks_directory,
    deployments_directory,
    loader_directory,
    read_bootversion,
    read_subbootversion,
    stateroot_directory,
)
from ostree.sysroot.step import step
from ostree.system.anonymous import is_random_name
from ostree.system.files import list_directory, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.repo.repository import Repo
    from ostree.sysroot.boot_disk import BootDisk
    from ostree.sysroot.deployment import Deployment

_OVERLAYS = "boot/ostree/initramfs-overlays"
_HEX = frozenset("0123456789abcdef")


def clean(root_fd: int, repo: Repo, disk: BootDisk, deployments: Sequence[Deployment]) -> None:
    """Remove what is left over on disk and write the refs that keep deployments' objects.

    Args:
        root_fd: The sysroot.
        repo: Its repository.
        disk: Removes what a boot loader may still see.
        deployments: The loaded list, a staged deployment included.

    Raises:
        SysrootError: naming the step.
    """
    bootversion = read_bootversion(root_fd)
    subbootversion = read_subbootversion(root_fd, bootversion)
    with step("Cleaning bootversions"):
        _clean_bootversions(disk, bootversion, subbootversion)
    with step("Cleaning deployments"):
        _clean_deployments(root_fd, disk, deployments)
        _clean_temporaries(root_fd)
    with step("Cleaning bootfs"):
        clean_boot(root_fd, disk, deployments)
    with step("Generating deployment refs"):
        _write_refs(repo, bootversion, subbootversion, deployments)


def _clean_bootversions(disk: BootDisk, bootversion: int, subbootversion: int) -> None:
    other = 1 - bootversion
    for path in (
        loader_directory(other),
        f"ostree/boot.{other}",
        bootlinks_directory(other, 0),
        bootlinks_directory(other, 1),
        bootlinks_directory(bootversion, 1 - subbootversion),
        # What an interrupted switch has left.
        "boot/loader.tmp",
        f"ostree/boot.{bootversion}.tmp",
        f"ostree/boot.{other}.tmp",
    ):
        disk.remove(path)


def _clean_deployments(root_fd: int, disk: BootDisk, deployments: Sequence[Deployment]) -> None:
    for stateroot, name in unlisted_deployments(root_fd, deployments):
        disk.settle()
        remove_deployment(stateroot, name, root_fd)


def unlisted_deployments(
    root_fd: int, deployments: Sequence[Deployment]
) -> Iterator[tuple[str, str]]:
    """Stateroot and name of each deployment that is in no list, and does not run.

    Raises:
        FormatError: a directory among them has another kind of name.
    """
    listed = {(d.stateroot, d.name) for d in deployments}
    running = os.stat("/")
    for stateroot in directory_names("ostree/deploy", root_fd):
        directory = deployments_directory(stateroot)
        for name in directory_names(directory, root_fd):
            if (stateroot, name) in listed:
                continue
            parse_deployment_target(name)
            path = f"{directory}/{name}"
            if os.path.samestat(running, os.stat(path, dir_fd=root_fd)):
                continue
            yield stateroot, name


def _clean_temporaries(root_fd: int) -> None:
    """Remove the files and links that somebody was killed in the middle of putting into place."""
    stateroots = directory_names("ostree/deploy", root_fd)
    places = ["ostree", "boot", "boot/ostree", *map(deployments_directory, stateroots)]
    for place in places:
        for name in list_directory(place, root_fd):
            path = f"{place}/{name}"
            if is_random_name(name) and not _is_directory(path, root_fd):
                os.unlink(path, dir_fd=root_fd)


def _is_directory(path: str, root_fd: int) -> bool:
    return stat.S_ISDIR(os.stat(path, dir_fd=root_fd, follow_symlinks=False).st_mode)


def remove_deployment(stateroot: str, name: str, root_fd: int) -> None:
    """Remove a deployment that is not, or no longer, in the list."""
    path = f"{deployments_directory(stateroot)}/{name}"
    set_immutable(path, root_fd, on=False)
    # The directory last: as long as it is there, the next cleanup comes back for the rest.
    remove_tree(f"{stateroot_directory(stateroot)}/backing/{name}", root_fd)
    remove_tree(f"{path}.origin", root_fd)
    remove_tree(path, root_fd)


def clean_boot(root_fd: int, disk: BootDisk, deployments: Sequence[Deployment]) -> None:
    """Remove kernels, and overlay initrds, that no deployment in the list needs."""
    wanted = {d.bootcsum for d in deployments}
    for path, bootcsum in boot_directories(root_fd):
        if bootcsum not in wanted:
            disk.remove(path)
    overlays = {os.path.basename(path) for d in deployments for path in d.entry.overlay_initrds}
    for name in list_directory(_OVERLAYS, root_fd):
        path = f"{_OVERLAYS}/{name}"
        mode = os.stat(path, dir_fd=root_fd, follow_symlinks=False).st_mode
        if stat.S_ISREG(mode) and name not in overlays:
            disk.remove(path)


def boot_directories(root_fd: int) -> Iterator[tuple[str, str]]:
    """Path and boot checksum of each directory of kernels; the stateroot does not count."""
    for name in directory_names("boot/ostree", root_fd):
        checksum = name.rpartition("-")[2]
        if "-" in name and len(checksum) == 64 and _HEX.issuperset(checksum):
            yield f"boot/ostree/{name}", checksum


def _write_refs(
    repo: Repo, bootversion: int, subbootversion: int, deployments: Sequence[Deployment]
) -> None:
    """Point ``ostree/V/S/INDEX`` at the commit of each deployment, and drop those of other pairs.

    Refs beyond the end of the list go too, which upstream forgets.
    """
    current = f"ostree/{bootversion}/{subbootversion}/"
    wanted = {f"{current}{i}": d.checksum for i, d in enumerate(deployments)}
    present = repo.refs.local()
    with repo.transaction() as transaction:
        for ref, checksum in wanted.items():
            if present.get(ref) != checksum:
                transaction.set_ref(ref, checksum)
        for ref in present:
            if is_deployment_ref(ref) and ref not in wanted:
                transaction.set_ref(ref, None)


def is_deployment_ref(ref: str) -> bool:
    """Whether a ref is one of those that keep a deployment's objects."""
    parts = ref.split("/")
    return (
        len(parts) == 4
        and parts[0] == "ostree"
        and parts[1] in {"0", "1"}
        and parts[2] in {"0", "1"}
        and parts[3].isascii()
        and parts[3].isdigit()
    )
