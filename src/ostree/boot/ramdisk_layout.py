"""What a ramdisk consists of, name by name; nothing here touches a disk."""

from __future__ import annotations

from ostree.boot.programs import APPLETS, EXTRA_APPLETS, applets_in
from ostree.formats import cpio
from ostree.formats.kernel_module import encode_aliases, encode_dependencies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ostree.boot.module_choice import ModuleChoice
    from ostree.boot.programs import Program

    Member = tuple[cpio.Entry, bytes]

_DIRECTORIES = (
    "bin",
    "dev",
    "etc",
    "etc/ostree",
    "lib",
    "lib/modules",
    "lib/ostree",
    "proc",
    "run",
    "sbin",
    "sys",
    "sysroot",
    "tmp",
    "usr",
    "usr/lib",
    "usr/lib/ostree",
)

#: The kernel calls it by this path for a file system or cipher that it lacks.
_SYSTEM_APPLETS = ("modprobe", "reboot")


class ModuleFiles:
    """Modules to put into a ramdisk.

    Attributes:
        version: The kernel's, as ``uname -r`` has it.
        choice: Which, and in what order.
        paths: Where each is, relative to ``lib/modules/V``.
        aliases: What else each is found under.
        read: Gives the content of one.
    """

    __slots__ = ("aliases", "choice", "paths", "read", "version")

    def __init__(
        self,
        version: str,
        choice: ModuleChoice,
        paths: Mapping[str, str],
        aliases: Mapping[str, tuple[str, ...]],
        read: Callable[[str], bytes],
    ) -> None:
        self.version = version
        self.choice = choice
        self.paths = paths
        self.aliases = aliases
        self.read = read


def ramdisk_members(
    busybox: Program,
    scripts: Mapping[str, bytes],
    modules: ModuleFiles | None,
    *,
    configuration: Mapping[str, bytes],
    fsck: Program | None = None,
) -> Iterator[Member]:
    """Every entry with its content, parents first, always in the same order.

    Args:
        busybox: All of its programs.
        scripts: ``init`` and what it sources, by name.
        modules: The kernel's modules, if it needs any.
        configuration: Files of the ramdisk by their path.
        fsck: What checks ext4, if anything.
    """
    for directory in _DIRECTORIES:
        yield cpio.directory(directory), b""
    # Until devtmpfs is mounted, init speaks through these.
    yield cpio.device("dev/console", "c", 5, 1), b""
    yield cpio.device("dev/kmsg", "c", 1, 11), b""
    yield _file("bin/busybox", busybox.data, 0o755)
    for applet in sorted({*APPLETS, *applets_in(busybox, EXTRA_APPLETS)}):
        yield _link(f"bin/{applet}", "busybox")
    for applet in _SYSTEM_APPLETS:
        yield _link(f"sbin/{applet}", "../bin/busybox")
    yield _file("sbin/init", scripts["init"], 0o755)
    # What the kernel starts in an initramfs; in an initrd image it starts /sbin/init.
    yield _link("init", "sbin/init")
    for name in sorted(scripts.keys() - {"init"}):
        yield _file(f"lib/ostree/{name}", scripts[name])
    for path in sorted(configuration):
        yield _file(path, configuration[path])
    if fsck is not None:
        yield _file("sbin/fsck.ext4", fsck.data, 0o755)
    if modules is not None:
        yield from _module_members(modules)


def _module_members(modules: ModuleFiles) -> Iterator[Member]:
    top = f"lib/modules/{modules.version}"
    names = sorted(modules.choice.dependencies)
    directories = {top}
    for name in names:
        parts = modules.paths[name].split("/")[:-1]
        directories.update("/".join([top, *parts[: depth + 1]]) for depth in range(len(parts)))
    for directory in sorted(directories):
        yield cpio.directory(directory), b""
    dependencies = {
        modules.paths[name]: [modules.paths[each] for each in needed]
        for name, needed in modules.choice.dependencies.items()
    }
    aliases = {name: modules.aliases[name] for name in names}
    yield _file(f"{top}/modules.dep", encode_dependencies(dependencies).encode())
    yield _file(f"{top}/modules.alias", encode_aliases(aliases).encode())
    start = "".join(f"{name}\n" for name in modules.choice.at_start)
    yield _file("etc/ostree/modules", start.encode())
    for name in names:
        yield _file(f"{top}/{modules.paths[name]}", modules.read(name))


def _file(name: str, data: bytes, permissions: int = 0o644) -> Member:
    return cpio.regular_file(name, len(data), permissions), data


def _link(name: str, target: str) -> Member:
    return cpio.symlink(name, target), target.encode()
