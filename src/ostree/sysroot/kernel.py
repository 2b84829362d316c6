"""The kernel of a deployment: where it is, what belongs to it, its checksum (deployments §4)."""

from __future__ import annotations

import hashlib
import os
import stat

from ostree.errors import SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.sysroot.tree_files import TreeFiles

_HEX = frozenset("0123456789abcdef")
_MODULES = "usr/lib/modules"
_LEGACY = ("usr/lib/ostree-boot", "boot")


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


def find_kernel(files: TreeFiles, *, device_trees: bool = True) -> KernelLayout:
    """The kernel of a tree.

    Args:
        files: The tree, checked out or not.
        device_trees: Whether to look for device trees beside a kernel in ``usr/lib/modules``.

    Raises:
        SysrootError: there is none, or the names of a legacy layout contradict each other.
        OSError: reading failed.
    """
    modules = _find_modules(files, device_trees=device_trees)
    legacy = _find_legacy(files)
    if modules is not None and (
        legacy is None or modules.initramfs is not None or legacy.initramfs is None
    ):
        return modules
    if legacy is None:
        raise SysrootError(
            "Failed to find kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot"
        )
    return legacy


def _find_modules(files: TreeFiles, *, device_trees: bool) -> KernelLayout | None:
    # In the order of the file system, as upstream: which of several kernels is used depends on it.
    for version in files.names(_MODULES) or ():
        directory = f"{_MODULES}/{version}"
        if files.kind(directory) != stat.S_IFDIR:
            continue
        kernel = files.find(f"{directory}/vmlinuz", stat.S_IFREG)
        if kernel is not None:
            kernel_file = KernelFile(kernel, f"vmlinuz-{version}")
            return _describe_modules(
                files, directory, version, kernel_file, device_trees=device_trees
            )
    return None


def _describe_modules(
    files: TreeFiles, directory: str, version: str, kernel: KernelFile, *, device_trees: bool
) -> KernelLayout:
    def find(source: str, name: str) -> KernelFile | None:
        real = files.find(f"{directory}/{source}", stat.S_IFREG)
        return None if real is None else KernelFile(real, name)

    devicetree = None
    if device_trees:
        devicetree = find("devicetree", f"devicetree-{version}")
        dtb = files.find(f"{directory}/dtb", stat.S_IFDIR)
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


def _find_legacy(files: TreeFiles) -> KernelLayout | None:
    for directory in _LEGACY:
        names = files.names(directory)
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


def boot_checksum(files: TreeFiles, layout: KernelLayout) -> str:
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
            for path in _walk_device_trees(files, file.source):
                _hash_file(digest, files, path)
        else:
            _hash_file(digest, files, file.source)
    return digest.hexdigest()


def _walk_device_trees(files: TreeFiles, path: str) -> Iterator[str]:
    """The regular files in a directory of device trees, links followed, in the order of hashing."""
    for name in sorted(files.names(path) or (), key=os.fsencode):
        child = f"{path}/{name}"
        if files.kind(child) == stat.S_IFDIR:
            yield from _walk_device_trees(files, child)
        else:
            real = files.find(child, stat.S_IFREG)
            if real is not None:
                yield real


def _hash_file(digest: hashlib._Hash, files: TreeFiles, path: str) -> None:
    for chunk in files.read(path):
        digest.update(chunk)


def installed_sizes(files: TreeFiles, layout: KernelLayout) -> list[int]:
    """The sizes in bytes of all files that are put below ``/boot``."""
    paths: list[str] = []
    for file in layout.files():
        paths += _walk_device_trees(files, file.source) if file.is_directory else [file.source]
    return [files.size(path) for path in paths]
