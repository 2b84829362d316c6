"""Kernel, initramfs and device trees put below ``/boot`` (deployments §4.4)."""

from __future__ import annotations

import errno
import os
import stat

from ostree.system.anonymous import AnonymousFile
from ostree.system.copying import copy_content
from ostree.system.files import (
    FILE_FLAGS,
    exists,
    make_directories,
    make_directory,
    open_subdirectory,
    replace_symlink,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.kernel import KernelLayout

#: A link is not possible: another file system, too many links, or files of somebody else.
_COPY_INSTEAD = (errno.EXDEV, errno.EMLINK, errno.EPERM)


def install_kernel(kernel: KernelLayout, deployment_fd: int, directory: str, root_fd: int) -> None:
    """Put what belongs to a kernel into ``boot/ostree/OS-BOOTCSUM``.

    A file that is there is left alone: its content is what the directory's name says.  Everything
    is complete, on disk if copied, before it gets its name.

    Args:
        kernel: What to install.
        deployment_fd: The deployment.
        directory: Where to, relative to the sysroot; made if it is missing.
        root_fd: The sysroot.
    """
    make_directories(directory, root_fd, 0o775)
    target_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root_fd)
    try:
        for file in kernel.files():
            if file.is_directory:
                _copy_device_trees(file.source, deployment_fd, file.name, target_fd)
            elif not exists(file.name, target_fd):
                _install_file(file.source, deployment_fd, file.name, target_fd)
    finally:
        os.close(target_fd)


def _install_file(source: str, source_dir: int, name: str, target_dir: int) -> None:
    try:
        os.link(source, name, src_dir_fd=source_dir, dst_dir_fd=target_dir, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _COPY_INSTEAD:
            raise
        _copy_file(source, source_dir, name, target_dir)


def _copy_file(source: str, source_dir: int, name: str, target_dir: int) -> None:
    """Copy content, owner and mode, replacing what has the name now."""
    fd = os.open(source, FILE_FLAGS, dir_fd=source_dir)
    try:
        info = os.fstat(fd)
        with AnonymousFile(target_dir) as file:
            copy_content(fd, file.fd)
            here = os.fstat(file.fd)
            if (here.st_uid, here.st_gid) != (info.st_uid, info.st_gid):
                os.fchown(file.fd, info.st_uid, info.st_gid)
            os.fchmod(file.fd, stat.S_IMODE(info.st_mode))
            os.fdatasync(file.fd)
            file.replace(name)
    finally:
        os.close(fd)


def _copy_device_trees(source: str, source_dir: int, name: str, target_dir: int) -> None:
    """Copy a directory of device trees, over what is there."""
    source_fd = open_subdirectory(source_dir, source)
    try:
        make_directory(name, target_dir, 0o755)
        target_fd = open_subdirectory(target_dir, name)
        try:
            os.fchmod(target_fd, stat.S_IMODE(os.fstat(source_fd).st_mode))
            for entry in sorted(os.listdir(source_fd), key=os.fsencode):
                _copy_device_tree(entry, source_fd, target_fd)
        finally:
            os.close(target_fd)
    finally:
        os.close(source_fd)


def _copy_device_tree(name: str, source_fd: int, target_fd: int) -> None:
    kind = stat.S_IFMT(os.stat(name, dir_fd=source_fd, follow_symlinks=False).st_mode)
    if kind == stat.S_IFDIR:
        _copy_device_trees(name, source_fd, name, target_fd)
    elif kind == stat.S_IFLNK:
        replace_symlink(os.readlink(name, dir_fd=source_fd), name, target_fd)
    elif kind == stat.S_IFREG:
        _copy_file(name, source_fd, name, target_fd)
