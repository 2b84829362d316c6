"""Further initrds of a deployment, which the boot loader appends to its own (deployments §4.5)."""

from __future__ import annotations

import os
from hashlib import sha256

from ostree.errors import ChecksumError, SysrootError
from ostree.system.anonymous import AnonymousFile
from ostree.system.files import (
    describe,
    exists,
    make_directories,
    open_directory,
    write_all,
)
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Where they are installed, relative to the sysroot.
_INSTALLED = "boot/ostree/initramfs-overlays"
#: Where they wait for that, below ``/run``.
_STAGED = "ostree/staged-initrds"
_SUFFIX = ".img"
_CHUNK = 1 << 20


def overlay_path(checksum: str, *, bootprefix: bool) -> str:
    """How a boot entry names an overlay."""
    prefix = "/boot" if bootprefix else ""
    return f"{prefix}/ostree/initramfs-overlays/{checksum}{_SUFFIX}"


def stage_overlays(files: Iterable[str | os.PathLike[str]], run_directory: str) -> list[Checksum]:
    """Copy files to where they wait to be installed, each under its checksum.

    Args:
        files: What is to be copied.
        run_directory: Where the state of the running system is.

    Returns:
        Their checksums, in order.

    Raises:
        SysrootError: naming the file and what is the matter with it.
    """
    checksums: list[Checksum] = []
    directory_fd = -1
    try:
        for file in files:
            if directory_fd < 0:
                directory_fd = _open_made(f"{run_directory}/{_STAGED}")
            checksums.append(_stage(os.fspath(file), directory_fd))
    finally:
        if directory_fd >= 0:
            os.close(directory_fd)
    return checksums


def hash_overlays(files: Sequence[str | os.PathLike[str]]) -> list[Checksum]:
    """The checksums that :func:`stage_overlays` would return; nothing is copied.

    Raises:
        SysrootError: naming the file and what is the matter with it.
    """
    checksums = []
    for file in files:
        path = os.fspath(file)
        digest = sha256()
        try:
            with open(path, "rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise SysrootError(describe(f"openat({path})", error)) from error
        checksums.append(Checksum(digest.hexdigest()))
    return checksums


def _open_made(path: str) -> int:
    try:
        os.makedirs(path, 0o755, exist_ok=True)
        return open_directory(path)
    except OSError as error:
        raise SysrootError(describe(f"mkdirat({path})", error)) from error


def _stage(path: str, directory_fd: int) -> Checksum:
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SysrootError(describe(f"openat({path})", error)) from error
    try:
        with AnonymousFile(directory_fd) as copy:
            checksum = _copy_hashing(source, copy.fd)
            copy.replace(checksum)
    except OSError as error:
        raise SysrootError(describe(f"Copying {path}", error)) from error
    finally:
        os.close(source)
    return checksum


def _copy_hashing(source: int, target: int) -> Checksum:
    digest = sha256()
    while chunk := os.read(source, _CHUNK):
        digest.update(chunk)
        write_all(target, chunk)
    return Checksum(digest.hexdigest())


def install_overlays(paths: Sequence[str], run_directory: str, root_fd: int) -> None:
    """Put the overlays that a boot entry names below ``/boot``, unless they are there.

    A file that is there is left alone: its content is what its name says.  A new one is complete
    and on disk before it gets its name.

    Args:
        paths: What the entry says of them.
        run_directory: Below which they were staged.
        root_fd: The sysroot.

    Raises:
        SysrootError: one is neither installed nor staged, or cannot be copied.
        ChecksumError: the content of a staged one is not what its name says.
    """
    for path in paths:
        name = os.path.basename(path)
        if not exists(f"{_INSTALLED}/{name}", root_fd):
            _install(name, run_directory, root_fd)


def _install(name: str, run_directory: str, root_fd: int) -> None:
    checksum = name.removesuffix(_SUFFIX)
    staged = f"{run_directory}/{_STAGED}/{checksum}"
    make_directories(_INSTALLED, root_fd, 0o755)
    try:
        source = os.open(staged, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise SysrootError(describe(f"openat({staged})", error)) from error
    directory_fd = open_directory(_INSTALLED, dir_fd=root_fd)
    try:
        with AnonymousFile(directory_fd) as copy:
            if _copy_hashing(source, copy.fd) != checksum:
                raise ChecksumError(f"Corrupted overlay initrd {staged}")
            os.fdatasync(copy.fd)
            copy.link(name, directory_fd)
    finally:
        os.close(directory_fd)
        os.close(source)
