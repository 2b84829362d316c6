"""Building a ramdisk: gathers what it consists of and writes it as a compressed archive."""

from __future__ import annotations

import os

from ostree.boot.compression import make_compressor
from ostree.boot.module_choice import choose_modules
from ostree.boot.module_directory import ModuleDirectory
from ostree.boot.programs import find_busybox, read_static_program
from ostree.boot.ramdisk_layout import ModuleFiles, ramdisk_members
from ostree.boot.scripts import RAMDISK_SCRIPTS, read_script
from ostree.errors import NotFoundError, OSTreeError
from ostree.formats import cpio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ostree.boot.programs import Program
    from ostree.boot.ramdisk_layout import Member

#: Loaded at the start: the root's file system, and what a deployment may be mounted with.
AT_START = ("ext4", "overlay")

#: Taken along and loaded when the hardware or a mount asks for them.
DRIVERS = (
    "ahci",
    "ahci_platform",
    "ata_generic",
    "ata_piix",
    "ehci_pci",
    "ehci_platform",
    "erofs",
    "hv_storvsc",
    "loop",
    "nvme",
    "sd_mod",
    "softdog",
    "uas",
    "usb_storage",
    "virtio_blk",
    "virtio_mmio",
    "virtio_pci",
    "virtio_scsi",
    "xen_blkfront",
    "xhci_pci",
    "xhci_plat_hcd",
)

#: Every driver below: of SD and eMMC there is one for each maker of chips.
DRIVER_DIRECTORIES = ("drivers/mmc",)

#: By one of these a directory is known for a kernel's.
_SIGNS_OF_KERNEL = ("kernel", "modules.builtin")

#: What a kernel without modules has to have built in: a kind of disk, and a file system for a root.
_DISKS = ("mmc_block", "nvme", "sd_mod", "virtio_blk", "xen_blkfront")
_FILE_SYSTEMS = ("btrfs", "ext4", "f2fs", "xfs")

_CONFIGURATION = (
    ("usr/lib/ostree/prepare-root.conf", ("usr/lib/ostree/prepare-root.conf",)),
    (
        "etc/ostree/prepare-root.conf",
        ("etc/ostree/prepare-root.conf", "usr/etc/ostree/prepare-root.conf"),
    ),
)


class RamdiskOptions:
    """What a ramdisk is to hold.

    Attributes:
        root: The root directory of the system that it is for.
        kernel_version: Of that system; None if there is only one.
        modules: Names of further modules, loaded at the start.
        busybox: A file; None to look in the root and in this machine.
        fsck: A static program that checks the root's file system.
        release: A text that tells this ramdisk from others.
        mtime: Of everything in it, in seconds since 1970.
    """

    __slots__ = ("busybox", "fsck", "kernel_version", "modules", "mtime", "release", "root")

    def __init__(
        self,
        *,
        root: str = "/",
        kernel_version: str | None = None,
        modules: Sequence[str] = (),
        busybox: str | None = None,
        fsck: str | None = None,
        release: str | None = None,
        mtime: int = 0,
    ) -> None:
        self.root = root
        self.kernel_version = kernel_version
        self.modules = tuple(modules)
        self.busybox = busybox
        self.fsck = fsck
        self.release = release
        self.mtime = mtime


class RamdiskFacts:
    """What a ramdisk that was built consists of.

    Attributes:
        kernel_version: For which kernel its modules are.
        machine: What it runs on, as ``uname -m`` has it.
        modules: The names of its modules, sorted.
        size: Bytes written.
    """

    __slots__ = ("kernel_version", "machine", "modules", "size")

    def __init__(
        self, kernel_version: str, machine: str, modules: Iterable[str], size: int
    ) -> None:
        self.kernel_version = kernel_version
        self.machine = machine
        self.modules = tuple(modules)
        self.size = size


def find_kernel(root: str, version: str | None) -> str:
    """The directory of a kernel's modules below a root directory.

    One without modules has a list of what is built in instead (``make modules_install``).

    Raises:
        NotFoundError: there is none, or several and no version is named.
    """
    versions: dict[str, str] = {}
    for top in ("usr/lib/modules", "lib/modules"):
        directory = os.path.join(root, top)
        if os.path.isdir(directory):
            for name in os.listdir(directory):
                path = os.path.join(directory, name)
                if any(os.path.exists(os.path.join(path, sign)) for sign in _SIGNS_OF_KERNEL):
                    versions.setdefault(name, path)
    if version is not None:
        if version not in versions:
            raise NotFoundError(f"No modules of kernel {version} in {root}")
        return versions[version]
    if not versions:
        raise NotFoundError(f"No kernel modules in {root}")
    if len(versions) > 1:
        raise NotFoundError(
            f"Several kernels in {root}: {', '.join(sorted(versions))}",
            hint="choose one with --kernel-version",
        )
    return next(iter(versions.values()))


def build_ramdisk(
    options: RamdiskOptions, write: Callable[[bytes], None], *, compression: str = "gzip"
) -> RamdiskFacts:
    """Write a ramdisk; equal input gives equal bytes.

    Args:
        options: What it is to hold.
        write: Takes the archive in pieces.
        compression: One of :data:`~ostree.boot.compression.COMPRESSIONS`.

    Raises:
        NotFoundError: the kernel, a module that was asked for or that a root device needs, or busybox
            is missing.
        OSTreeError: something cannot be read, or does not run on the kernel's machine.
    """
    directory = ModuleDirectory(find_kernel(options.root, options.kernel_version))
    if not os.path.isdir(os.path.join(directory.path, "kernel")):
        _check_builtin(directory)
    modules = _choose(directory, options)
    busybox = find_busybox(_busybox_roots(options.root), options.busybox)
    fsck = None if options.fsck is None else read_static_program(options.fsck)
    _check_machine(directory, modules, [busybox, *([fsck] if fsck else [])])
    members = ramdisk_members(
        busybox,
        {name: read_script(name) for name in RAMDISK_SCRIPTS},
        modules,
        configuration=_configuration(options),
        fsck=fsck,
    )
    size = _write_archive(members, write, mtime=options.mtime, compression=compression)
    return RamdiskFacts(modules.version, busybox.machine, sorted(modules.choice.dependencies), size)


def _choose(directory: ModuleDirectory, options: RamdiskOptions) -> ModuleFiles:
    drivers = [*DRIVERS]
    for below in DRIVER_DIRECTORIES:
        drivers += directory.below(below)
    choice = choose_modules(
        directory,
        required=[name.replace("-", "_") for name in options.modules],
        at_start=AT_START,
        drivers=drivers,
    )
    aliases = {}
    for name in choice.dependencies:
        info = directory.info(name)
        aliases[name] = () if info is None else info.aliases
    return ModuleFiles(
        os.path.basename(directory.path),
        choice,
        {name: directory.file(name) for name in choice.dependencies},
        aliases,
        directory.read,
    )


def _check_builtin(directory: ModuleDirectory) -> None:
    """Of a kernel without modules: whether it can mount a root by itself."""
    for what, names in (("disk", _DISKS), ("file system", _FILE_SYSTEMS)):
        if not any(directory.is_builtin(name) for name in names):
            raise NotFoundError(
                f"The kernel in {directory.path} has no modules, and no driver of a {what} built in",
                hint=f"its modules.builtin has none of {', '.join(names)}",
            )


def _busybox_roots(root: str) -> list[str]:
    return [root] if os.path.realpath(root) == "/" else [root, "/"]


def _check_machine(
    directory: ModuleDirectory, modules: ModuleFiles, programs: Iterable[Program]
) -> None:
    """A busybox of the building machine does not run on a device of another kind."""
    for name in sorted(modules.choice.dependencies):
        info = directory.info(name)
        for program in programs if info is not None else ():
            if info is not None and info.machine != program.machine:
                raise OSTreeError(
                    f"{program.path} is for {program.machine}, the kernel for {info.machine}",
                    hint="name one for the device with --busybox",
                )
        return


def _configuration(options: RamdiskOptions) -> dict[str, bytes]:
    files = {}
    for name, candidates in _CONFIGURATION:
        for candidate in candidates:
            path = os.path.join(options.root, candidate)
            try:
                with open(path, "rb") as file:
                    files[name] = file.read()
                break
            except FileNotFoundError:
                continue
            except OSError as error:
                raise OSTreeError(f"Reading {path}: {error.strerror}") from error
    if options.release is not None:
        files["etc/ramdisk-release"] = f"{options.release}\n".encode()
    return files


def _write_archive(
    members: Iterable[Member], write: Callable[[bytes], None], *, mtime: int, compression: str
) -> int:
    compressor = make_compressor(compression)
    plain = 0
    size = 0

    def put(data: bytes) -> None:
        nonlocal plain, size
        plain += len(data)
        out = compressor.compress(data)
        size += len(out)
        write(out)

    for inode, (entry, content) in enumerate(members, start=1):
        put(cpio.encode_header(entry, inode=inode, mtime=mtime))
        put(content)
        put(cpio.padding(len(content)))
    put(cpio.encode_trailer(plain))
    last = compressor.flush()
    write(last)
    return size + len(last)
