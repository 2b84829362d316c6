"""Kernel, initramfs and device trees put below ``/boot`` (deployments §4.4)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat

from ostree.errors import SysrootError
from ostree.sysroot.kernel import boot_checksum
from ostree.sysroot.labelling import label_open_file, read_policy
from ostree.sysroot.tree_files import DirectoryFiles
from ostree.system.anonymous import AnonymousFile, random_name
from ostree.system.copying import copy_content
from ostree.system.files import (
    FILE_FLAGS,
    exists,
    make_directories,
    make_directory,
    open_subdirectory,
    replace_symlink,
)
from ostree.system.fsverity import enable as enable_verity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.kernel import KernelLayout
    from ostree.system.selinux import Policy

#: What a file is called until it is complete; only a program that was killed leaves one.
_TEMPORARY = ".tmp-"
#: A link is not possible: another file system, too many links, or files of somebody else.
_COPY_INSTEAD = (errno.EXDEV, errno.EMLINK, errno.EPERM)


def install_kernel(
    kernel: KernelLayout, deployment_fd: int, directory: str, root_fd: int, *, seal: bool = False
) -> None:
    """Put what belongs to a kernel into ``boot/ostree/OS-BOOTCSUM``.

    A file that is there and has the right size is left alone: its content is what the directory's
    name says.  Everything is complete, on disk if copied, before it gets its name.

    Args:
        kernel: What to install.
        deployment_fd: The deployment.
        directory: Where to, relative to the sysroot; made if it is missing.
        root_fd: The sysroot.
        seal: Whether copies are sealed with fs-verity, where the file system can.

    What is copied has the label of a file in ``/boot``, by the policy of the deployment.

    Raises:
        SysrootError: a directory has the name of a file, or what is to be replaced is not what is
            damaged.
        OSError: reading or writing failed.
    """
    copies = _BootCopies(deployment_fd, seal=seal)
    make_directories(directory, root_fd, 0o775)
    target_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root_fd)
    try:
        for name in os.listdir(target_fd):
            if name.startswith(_TEMPORARY):
                os.unlink(name, dir_fd=target_fd)
        for file in kernel.files():
            if file.is_directory:
                _copy_device_trees(file.source, deployment_fd, file.name, target_fd)
            elif not _is_installed(file.source, deployment_fd, file.name, target_fd):
                if exists(file.name, target_fd):
                    _check_source(kernel, deployment_fd, directory)
                _install_file(file.source, deployment_fd, file.name, target_fd, copies)
    except IsADirectoryError as error:
        raise SysrootError(f"{directory}/{error.filename} is a directory") from error
    finally:
        os.close(target_fd)


class _BootCopies:
    """What copies in ``/boot`` have of their own: a label and a seal."""

    def __init__(self, deployment_fd: int, *, seal: bool) -> None:
        self._deployment_fd = deployment_fd
        self._seal = seal
        self._policy: Policy | None = None
        self._is_read = False

    def label(self, file: AnonymousFile, name: str) -> None:
        """The policy is read when the first one is copied."""
        if not self._is_read:
            self._policy = read_policy(self._deployment_fd)
            self._is_read = True
        if self._policy is not None:
            label_open_file(self._policy, file.fd, f"/boot/{name}")

    def seal(self, file: AnonymousFile) -> None:
        """As a last step; nothing can be written any more."""
        if self._seal:
            file.stop_writing()
            enable_verity(file.fd)


def _check_source(kernel: KernelLayout, deployment_fd: int, directory: str) -> None:
    """Of two files that differ, make sure that it is not the deployment's that was damaged."""
    if kernel.named_checksum is None:
        checksum = boot_checksum(DirectoryFiles(deployment_fd), kernel)
        if not directory.endswith(f"-{checksum}"):
            raise SysrootError(f"{directory}: the kernel of the deployment has changed")


def _is_installed(source: str, source_dir: int, name: str, target_dir: int) -> bool:
    """Whether a file is there already, as far as its size tells.

    Another size is that of a copy which was cut off, by a program that names files too early.
    """
    try:
        there = os.stat(name, dir_fd=target_dir)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    size = os.stat(source, dir_fd=source_dir, follow_symlinks=False).st_size
    return stat.S_ISREG(there.st_mode) and there.st_size == size


def _install_file(
    source: str, source_dir: int, name: str, target_dir: int, copies: _BootCopies
) -> None:
    """Link, or copy, replacing what has the name now."""
    temporary = random_name(_TEMPORARY)
    try:
        os.link(
            source, temporary, src_dir_fd=source_dir, dst_dir_fd=target_dir, follow_symlinks=False
        )
    except OSError as error:
        if error.errno not in _COPY_INSTEAD:
            raise
        _copy_file(source, source_dir, name, target_dir, copies)
    else:
        os.rename(temporary, name, src_dir_fd=target_dir, dst_dir_fd=target_dir)


def _copy_file(
    source: str, source_dir: int, name: str, target_dir: int, copies: _BootCopies | None = None
) -> None:
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
            if copies is not None:
                copies.label(file, name)
            os.fdatasync(file.fd)
            if copies is not None:
                copies.seal(file)
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
            mode = stat.S_IMODE(os.fstat(source_fd).st_mode)
            if stat.S_IMODE(os.fstat(target_fd).st_mode) != mode:
                os.fchmod(target_fd, mode)
            for entry in sorted(os.listdir(source_fd), key=os.fsencode):
                _copy_device_tree(entry, source_fd, target_fd)
        finally:
            os.close(target_fd)
    finally:
        os.close(source_fd)


def _copy_device_tree(name: str, source_fd: int, target_fd: int) -> None:
    """Copy one, unless it is there already: the active configuration may be using it."""
    info = os.stat(name, dir_fd=source_fd, follow_symlinks=False)
    if stat.S_ISDIR(info.st_mode):
        _copy_device_trees(name, source_fd, name, target_fd)
    elif stat.S_ISLNK(info.st_mode):
        link = os.readlink(name, dir_fd=source_fd)
        if _read_link(name, target_fd) != link:
            replace_symlink(link, name, target_fd)
    elif stat.S_ISREG(info.st_mode) and not _is_same_file(name, info, source_fd, target_fd):
        _copy_file(name, source_fd, name, target_fd)


def _read_link(name: str, dir_fd: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=dir_fd)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.EINVAL}:
            return None
        raise


def _is_same_file(name: str, info: os.stat_result, source_fd: int, target_fd: int) -> bool:
    """Whether both directories have the same file of that name: owner, mode and content."""
    try:
        there = os.stat(name, dir_fd=target_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    facts = (info.st_mode, info.st_uid, info.st_gid, info.st_size)
    if (there.st_mode, there.st_uid, there.st_gid, there.st_size) != facts:
        return False
    return _hash(name, source_fd) == _hash(name, target_fd)


def _hash(name: str, dir_fd: int) -> bytes:
    fd = os.open(name, FILE_FLAGS, dir_fd=dir_fd)
    with open(fd, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
