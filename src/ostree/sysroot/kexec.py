"""A deployment's kernel made ready to be started without the firmware (deployments §13)."""

from __future__ import annotations

import os
from contextlib import ExitStack

from ostree.sysroot.kernel import find_kernel
from ostree.sysroot.step import step
from ostree.sysroot.tree_files import DirectoryFiles
from ostree.system import kexec
from ostree.system.files import FILE_FLAGS, open_subdirectory, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.view import SysrootView

_CHUNK = 1 << 20


def load_kernel(sysroot: SysrootView, deployment: Deployment) -> None:
    """Have the next reboot by kexec lead to a deployment of the list.

    Args:
        sysroot: Whose list is loaded.
        deployment: Has a boot entry.

    Raises:
        OSTreeError: the kernel cannot be loaded.
    """
    with step("Loading kernel for kexec"), ExitStack() as opened:

        def take(fd: int) -> int:
            opened.callback(os.close, fd)
            return fd

        tree = take(open_subdirectory(sysroot.root_fd, deployment.path))
        layout = find_kernel(DirectoryFiles(tree), device_trees=False)
        kernel = take(os.open(layout.kernel.source, FILE_FLAGS, dir_fd=tree))
        initramfs = None
        if layout.initramfs is not None:
            parts = [take(os.open(layout.initramfs.source, FILE_FLAGS, dir_fd=tree))]
            for overlay in deployment.entry.overlay_initrds:
                path = f"boot/ostree/initramfs-overlays/{os.path.basename(overlay)}"
                parts.append(take(os.open(path, FILE_FLAGS, dir_fd=sysroot.root_fd)))
            initramfs = parts[0] if len(parts) == 1 else take(_joined(parts))
        kexec.load(kernel, initramfs, str(deployment.kernel_arguments))


def _joined(parts: Sequence[int]) -> int:
    """One file of several, as a boot loader puts initrds into memory."""
    whole = os.memfd_create("initramfs", os.MFD_CLOEXEC)
    try:
        for part in parts:
            while chunk := os.read(part, _CHUNK):
                write_all(whole, chunk)
    except OSError:
        os.close(whole)
        raise
    return whole
