"""Putting what prepares a deployment's root into a system's tree, for its own way of starting."""

from __future__ import annotations

import os

from ostree.boot.launcher import make_launcher
from ostree.boot.programs import find_busybox
from ostree.boot.scripts import read_script
from ostree.errors import OSTreeError
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    #: Content and permission bits.
    File = tuple[bytes, int]

#: Where the scripts and what goes beside them are in a system.
_LIBRARY = "usr/lib/ostree"
_DRACUT = "usr/lib/dracut/modules.d/98ostree"
_INITRAMFS_TOOLS = "usr/share/initramfs-tools"

KINDS = ("dracut", "initramfs-tools", "no-ramdisk")


def installed_files(kind: str, root: str, busybox: str | None = None) -> dict[str, File]:
    """What belongs into a tree, by path.

    Args:
        kind: One of :data:`KINDS`.
        root: The tree, in which busybox is looked for.
        busybox: A static busybox to take instead.

    Raises:
        OSTreeError: there is no static busybox for what works without a ramdisk.
    """
    found: dict[str, File] = {
        f"{_LIBRARY}/prepare-root.sh": (read_script("prepare-root.sh"), 0o644),
        f"{_LIBRARY}/ostree-prepare-root.sh": (read_script("ostree-prepare-root.sh"), 0o755),
    }
    if kind == "dracut":
        for name, mode in (
            ("module-setup.sh", 0o755),
            ("mount-deployment.sh", 0o755),
            ("ostree-prepare-root.service", 0o644),
        ):
            found[f"{_DRACUT}/{name}"] = (_read_hook(kind, name), mode)
    elif kind == "initramfs-tools":
        found[f"{_INITRAMFS_TOOLS}/hooks/ostree"] = (_read_hook(kind, "hook"), 0o755)
        found[f"{_INITRAMFS_TOOLS}/scripts/local-bottom/ostree"] = (
            _read_hook(kind, "bottom"),
            0o755,
        )
    else:
        program = find_busybox([root], busybox)
        found[f"{_LIBRARY}/switch-root.sh"] = (read_script("switch-root.sh"), 0o644)
        found[f"{_LIBRARY}/busybox"] = (program.data, 0o755)
        found[f"{_LIBRARY}/ostree-prepare-root"] = (make_launcher(program.machine), 0o755)
    return found


def install(found: Mapping[str, File], root: str) -> None:
    """Write files into a tree; each is there as a whole or as it was before.

    Raises:
        OSError: the tree cannot be opened.
        OSTreeError: one cannot be written.
    """
    root_fd = files.open_directory(root)
    try:
        for path, (data, mode) in sorted(found.items()):
            directory, name = os.path.split(path)
            try:
                directory_fd = _open_directory(root_fd, directory)
                try:
                    files.replace_file(name, data, directory_fd, mode=mode, sync=False)
                finally:
                    os.close(directory_fd)
            except OSError as error:
                place = os.path.join(root, path)
                raise OSTreeError(f"Writing {place}: {error.strerror}") from error
    finally:
        os.close(root_fd)


def _open_directory(root_fd: int, path: str) -> int:
    """A directory of the tree, made if need be; not through links, which may lead out of it."""
    fd = os.dup(root_fd)
    for name in path.split("/"):
        try:
            files.make_directory(name, fd, 0o755)
            below = files.open_subdirectory(fd, name)
        finally:
            os.close(fd)
        fd = below
    return fd


def _read_hook(kind: str, name: str) -> bytes:
    path = os.path.join(os.path.dirname(__file__), "hooks", kind, name)
    with open(path, "rb") as file:
        return file.read()
