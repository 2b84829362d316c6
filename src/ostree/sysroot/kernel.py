"""The kernel of a deployment: where it is, what belongs to it, its checksum (deployments §4)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat

from ostree.errors import SysrootError
from ostree.sysroot.resolve import resolve_inside
from ostree.system.files import open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEX = frozenset("0123456789abcdef")
_MODULES = "usr/lib/modules"
_LEGACY = ("usr/lib/ostree-boot", "boot")
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class KernelFile:
    """A file, or directory of device trees, that is installed below ``/boot``.

    Attributes:
        source: Its path in the deployment.
        name: Its name in ``/boot/ostree/OS-BOOTCSUM``.
        is_directory: Whether it is a directory of device trees.
    """

    __slots__ = ("is_directory", "name", "source")

    def __init__(self, source: str, name: str, *, is_directory: bool = False) -> None:
        self.source = source
        self.name = name
        self.is_directory = is_directory


class KernelLayout:
    """What of a deployment belongs below ``/boot``.

    Attributes:
        named_checksum: The boot checksum that the names of a legacy layout carry, else None.
    """

    __slots__ = ("aboot", "devicetree", "hmac", "initramfs", "kernel", "named_checksum")

    def __init__(
        self,
        *,
        kernel: KernelFile,
        initramfs: KernelFile | None = None,
        devicetree: KernelFile | None = None,
        hmac: KernelFile | None = None,
        aboot: KernelFile | None = None,
        named_checksum: str | None = None,
    ) -> None:
        self.kernel = kernel
        self.named_checksum = named_checksum
        self.initramfs = initramfs
        self.devicetree = devicetree
        self.hmac = hmac
        self.aboot = aboot

    def files(self) -> Iterator[KernelFile]:
        """All that is to be installed, in the order of upstream."""
        for file in (self.kernel, self.initramfs, self.devicetree, self.hmac, self.aboot):
            if file is not None:
                yield file


def find_kernel(root_fd: int, *, device_trees: bool = True) -> KernelLayout:
    """The kernel of the deployment whose directory is open as ``root_fd``.

    Args:
        root_fd: The directory; symbolic links in it are followed as after chroot(2).
        device_trees: Whether to look for device trees beside a kernel in ``usr/lib/modules``.

    Raises:
        SysrootError: there is none, or the names of a legacy layout contradict each other.
        OSError: reading failed.
    """
    modules = _find_modules(root_fd, device_trees=device_trees)
    legacy = _find_legacy(root_fd)
    if modules is not None and (
        legacy is None or modules.initramfs is not None or legacy.initramfs is None
    ):
        return modules
    if legacy is None:
        raise SysrootError(
            "Failed to find kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot"
        )
    return legacy


def _find(root_fd: int, path: str, kind: int) -> str | None:
    """Where a path leads to, links followed, if that is of file type ``kind``."""
    try:
        real = resolve_inside(path, root_fd, clamp=True)
        found = stat.S_IFMT(os.stat(real, dir_fd=root_fd, follow_symlinks=False).st_mode)
    except OSError as error:
        if error.errno in _MISSING:
            return None
        raise
    return real if found == kind else None


def _names(root_fd: int, path: str) -> list[str] | None:
    """The names in a directory in the order of the file system; None without such a directory."""
    try:
        fd = open_directory(path, dir_fd=root_fd)
    except OSError as error:
        if error.errno in _MISSING:
            return None
        raise
    try:
        return os.listdir(fd)
    finally:
        os.close(fd)


def _find_modules(root_fd: int, *, device_trees: bool) -> KernelLayout | None:
    # In the order of the file system, as upstream: which of several kernels is used depends on it.
    for version in _names(root_fd, _MODULES) or ():
        directory = f"{_MODULES}/{version}"
        info = os.stat(directory, dir_fd=root_fd, follow_symlinks=False)
        if not stat.S_ISDIR(info.st_mode):
            continue
        kernel = _find(root_fd, f"{directory}/vmlinuz", stat.S_IFREG)
        if kernel is not None:
            kernel_file = KernelFile(kernel, f"vmlinuz-{version}")
            return _describe_modules(
                root_fd, directory, version, kernel_file, device_trees=device_trees
            )
    return None


def _describe_modules(
    root_fd: int, directory: str, version: str, kernel: KernelFile, *, device_trees: bool
) -> KernelLayout:
    def find(source: str, name: str) -> KernelFile | None:
        real = _find(root_fd, f"{directory}/{source}", stat.S_IFREG)
        return None if real is None else KernelFile(real, name)

    devicetree = None
    if device_trees:
        devicetree = find("devicetree", f"devicetree-{version}")
        dtb = _find(root_fd, f"{directory}/dtb", stat.S_IFDIR)
        if devicetree is None and dtb is not None:
            devicetree = KernelFile(dtb, "dtb", is_directory=True)
    initramfs = f"initramfs-{version}.img"
    return KernelLayout(
        kernel=kernel,
        initramfs=find("initramfs.img", initramfs) or find("initramfs", initramfs),
        devicetree=devicetree,
        hmac=find(".vmlinuz.hmac", f".vmlinuz-{version}.hmac"),
        aboot=find("aboot.img", f"aboot-{version}.img"),
    )


def _find_legacy(root_fd: int) -> KernelLayout | None:
    for directory in _LEGACY:
        names = _names(root_fd, directory)
        if names is not None:
            return plan_legacy(directory, names)
    return None


def plan_legacy(directory: str, names: Sequence[str]) -> KernelLayout | None:
    """The kernel among files that carry the boot checksum in their names.

    Raises:
        SysrootError: initramfs or device tree carry another checksum than the kernel.
    """
    found: dict[str, tuple[KernelFile, str]] = {}
    for name in names:
        stem, dash, checksum = name.rpartition("-")
        kind = stem.partition("-")[0]
        if not dash or len(checksum) != 64 or not _HEX.issuperset(checksum):
            continue
        if kind in {"vmlinuz", "initramfs", "devicetree"}:
            found.setdefault(kind, (KernelFile(f"{directory}/{name}", stem), checksum))
    if "vmlinuz" not in found:
        return None
    kernel, bootcsum = found["vmlinuz"]
    initramfs, initramfs_checksum = found.get("initramfs", (None, bootcsum))
    devicetree, devicetree_checksum = found.get("devicetree", (None, bootcsum))
    if initramfs_checksum != bootcsum:
        raise SysrootError("Mismatched kernel checksum vs initrd")
    if devicetree_checksum != bootcsum:
        raise SysrootError("Mismatched kernel checksum vs device tree in tree")
    return KernelLayout(
        kernel=kernel, initramfs=initramfs, devicetree=devicetree, named_checksum=bootcsum
    )


def boot_checksum(root_fd: int, layout: KernelLayout) -> str:
    """SHA-256 over the contents of kernel, initramfs and device trees; names do not count.

    A legacy layout has its checksum in its names, and nobody computes it again.
    """
    if layout.named_checksum is not None:
        return layout.named_checksum
    digest = hashlib.sha256()
    for file in (layout.kernel, layout.initramfs, layout.devicetree):
        if file is None:
            continue
        if file.is_directory:
            _hash_directory(digest, root_fd, file.source)
        else:
            _hash_file(digest, root_fd, file.source)
    return digest.hexdigest()


def _hash_directory(digest: hashlib._Hash, root_fd: int, path: str) -> None:
    for name in sorted(_names(root_fd, path) or (), key=os.fsencode):
        child = f"{path}/{name}"
        info = os.stat(child, dir_fd=root_fd, follow_symlinks=False)
        if stat.S_ISDIR(info.st_mode):
            _hash_directory(digest, root_fd, child)
        else:
            real = _find(root_fd, child, stat.S_IFREG)
            if real is not None:
                _hash_file(digest, root_fd, real)


def _hash_file(digest: hashlib._Hash, root_fd: int, path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=root_fd)
    try:
        while chunk := os.read(fd, 1 << 20):
            digest.update(chunk)
    finally:
        os.close(fd)
