"""The composefs image of a deployment, mounted (boot §12.6)."""

from __future__ import annotations

import errno
import os

from ostree.system import mounting
from ostree.system.loop_device import read_only_loop

#: The image, in the deployment's directory.
IMAGE = ".ostree.cfs"

#: What kernels answer that mount EROFS from block devices only.
_NEEDS_DEVICE = (errno.ENOTBLK, errno.EINVAL, errno.EOPNOTSUPP)


def mount_composefs(
    image: str,
    objects: str,
    target: str,
    lower: str,
    *,
    verity: bool,
    writable: tuple[str, str] | None = None,
    read_only: bool = True,
) -> None:
    """Mount an image whose files have their content in a repository.

    Args:
        image: The image.
        objects: The directory of the repository's objects.
        target: Where to.
        lower: An empty directory, for the image itself meanwhile.
        verity: Whether every file has to have its fs-verity digest.
        writable: The upper and the work directory of a root that forgets what is written.
        read_only: Whether to mount it read-only all the same.

    Raises:
        OSError: the kernel refuses.
    """
    _mount_image(image, lower)
    try:
        layers = [f"lowerdir={lower}::{objects}"]
        if writable is not None:
            layers += [f"upperdir={writable[0]}", f"workdir={writable[1]}"]
        options = [*layers, "redirect_dir=on", "metacopy=on"]
        if verity:
            options.append("verity=require")
        flags = mounting.READ_ONLY if writable is None or read_only else 0
        mounting.mount("ostree", target, "overlay", flags, ",".join(options))
    finally:
        mounting.unmount(lower, mounting.DETACH)


def _mount_image(image: str, lower: str) -> None:
    try:
        mounting.mount(image, lower, "erofs", mounting.READ_ONLY)
    except OSError as error:
        if error.errno not in _NEEDS_DEVICE:
            raise
    else:
        return
    fd = os.open(image, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with read_only_loop(fd) as device:
            mounting.mount(device, lower, "erofs", mounting.READ_ONLY)
    finally:
        os.close(fd)
