"""A disk image from a commit: the system is made, measured, and written as file systems."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from ostree.errors import ImageError, OSTreeError
from ostree.events import Message
from ostree.formats import gpt, mbr
from ostree.formats.disk_partition import SECTOR
from ostree.formats.refspec import looks_like_checksum
from ostree.image import file_system, firmware
from ostree.image.firmware import Loader
from ostree.image.fstab import Mount
from ostree.image.layout import LayoutRequest, Role, Table, plan_layout
from ostree.image.root_argument import RootBy, check_root_by, root_argument
from ostree.image.staging import SystemRequest, add_to_fstab, make_system
from ostree.image.tool import Toolbox
from ostree.image.workplace import workplace
from ostree.system.files import path_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from ostree.events import Listener
    from ostree.image.layout import DiskLayout, Volume
    from ostree.image.staging import MadeSystem

_DATA = "/data"
_BOOT = "/boot"
_ESP = "/boot/efi"
_ROOT_MODE = 0o755
_UNSHARE = "unshare --map-root-user --map-auto ostree image build …"
_MORE_USERS = f"files have owners that this user namespace lacks; try {_UNSHARE}"
#: So many users a system has at least.
_ALL_USERS = 1 << 16


class ImageRequest(NamedTuple):
    """What is wanted; sizes in bytes.

    Attributes:
        repository: The path of the repository with the commit.
        ref: The commit: a ref or a checksum.
        stateroot: Where to it is deployed.
        loader: The boot loader.
        kernel_arguments: Besides ``root=``, which is added unless it is among them.
        table: The kind of partition table.
        separate_boot: Whether ``/boot`` is a file system of its own.
        size: Of the disk; what is sensible if None.
        data: Of the partition that is mounted at ``/data``; None for none.
        reserve: What stays free in front of the first partition.
        boot_script: For U-Boot, as source or compiled.
        extra: A directory with files for the FAT partition.
        architecture: Of the machine, as ``uname -m`` has it.
        remote: The name and the URL of the remote that updates come from.
        remote_options: Further options of it.
        seed: Identities are made from this, so that they are always the same.
        root_by: What ``root=`` names the root file system by.
        tries: How often a new deployment is started that does not come up; 0 if that is not counted,
            or not by OSTree's configuration.
    """

    repository: str
    ref: str
    stateroot: str
    loader: Loader
    kernel_arguments: Sequence[str] = ()
    table: Table = Table.GPT
    separate_boot: bool = False
    size: int | None = None
    data: int | None = None
    reserve: int = 1 << 20
    boot_script: bytes | None = None
    extra: str | None = None
    architecture: str = "x86_64"
    remote: tuple[str, str] | None = None
    remote_options: Sequence[tuple[str, str]] = ()
    seed: str | None = None
    root_by: RootBy = RootBy.UUID
    tries: int = 0


class MadeImage(NamedTuple):
    """An image.

    Attributes:
        layout: Its partitions.
        system: Its system.
    """

    layout: DiskLayout
    system: MadeSystem


def build_image(
    request: ImageRequest,
    output: str | os.PathLike[str],
    *,
    environ: Mapping[str, str],
    on_event: Listener,
) -> MadeImage:
    """Make a disk image; it is there as a whole, or not at all.

    Args:
        request: What is wanted.
        output: Its path.
        environ: The environment of the programs that make file systems.
        on_event: Is told what is done.

    Raises:
        ImageError: a tool is missing or fails, we lack the rights, or it does not fit.
        OSTreeError: as pulls and deployments.
    """
    tools = Toolbox(environ)
    _check(request, tools)
    path = os.path.abspath(path_text(output))
    try:
        with workplace(path) as place:
            return _Builder(request, tools, place, on_event).build(path)
    except OSError as error:
        where = os.fsdecode(error.filename) if error.filename else path
        raise ImageError(f"{where}: {error.strerror or error}") from error


def _check(request: ImageRequest, tools: Toolbox) -> None:
    if request.remote is not None and looks_like_checksum(request.ref):
        raise ImageError("Updates follow a ref: with --remote, --ref cannot be a checksum")
    if request.loader is Loader.UBOOT and request.boot_script is None:
        raise ImageError("U-Boot needs a boot script")
    if os.geteuid() != 0:
        raise ImageError(
            "Only root can give the files of a system their owners",
            hint=f"in a user namespace it works as well: {_UNSHARE}",
        )
    if request.loader is Loader.SYSTEMD_BOOT:
        firmware.find_systemd_boot(request.architecture)
    check_root_by(request.root_by, request.table)
    tools.require(["mkfs.ext4", "debugfs"])
    tools.require(firmware.needed_tools(request.loader, extra=request.extra is not None))


class _Builder:
    """One image in the making.

    Args:
        request: What is wanted.
        tools: What makes file systems.
        place: An empty directory to work in.
        on_event: Is told what is done.
    """

    def __init__(
        self, request: ImageRequest, tools: Toolbox, place: str, on_event: Listener
    ) -> None:
        self._request = request
        self._tools = tools
        self._on_event = on_event
        self._root = os.path.join(place, "root")
        self._boot = os.path.join(place, "boot")
        self._firmware = os.path.join(place, "firmware")
        self._image = os.path.join(place, "image")
        for directory in (self._root, self._firmware):
            _make_root(directory)

    def build(self, path: str) -> MadeImage:
        """Make everything, and at the end put it in place."""
        layout_request = self._layout_request()
        # The identities are needed before the sizes are known.
        layout = plan_layout(layout_request)
        uuids = {volume.role: volume.uuid for volume in layout.volumes}
        system = self._make_system(root_argument(layout, self._request.root_by))
        add_to_fstab(self._root, system.deployment, self._mounts(layout))
        if self._request.loader is Loader.SYSTEMD_BOOT:
            firmware.gather_mounted(self._firmware, f"{self._root}{_ESP}")
        if self._request.separate_boot:
            os.rename(f"{self._root}/boot", self._boot)
            _make_root(f"{self._root}/boot")
        self._gather_firmware(uuids)
        layout = _with_identities(plan_layout(self._measured(layout_request)), layout)
        self._write(layout, system)
        os.rename(self._image, path)
        _sync(os.path.dirname(path))
        return MadeImage(layout, system)

    def _make_system(self, root: str) -> MadeSystem:
        try:
            return make_system(self._root, self._system_request(root), self._on_event)
        except OSTreeError as error:
            if _users() < _ALL_USERS and os.strerror(errno.EINVAL) in error.message:
                error.hint = _MORE_USERS
            raise

    def _layout_request(self) -> LayoutRequest:
        request = self._request
        return LayoutRequest(
            request.table,
            firmware.firmware_kind(request.loader, extra=request.extra is not None),
            0 if request.separate_boot else None,
            0,
            data=request.data,
            size=request.size,
            reserve=request.reserve,
            seed=request.seed,
        )

    def _measured(self, request: LayoutRequest) -> LayoutRequest:
        measure = file_system.measure
        # As in a partition for /boot there are the kernels of two deployments, and of a third one
        # while an update is made.
        copies = 3 if self._request.loader is Loader.SYSTEMD_BOOT else 1
        return request._replace(
            firmware_content=copies * measure(self._firmware),
            boot_content=measure(self._boot) if self._request.separate_boot else None,
            root_content=measure(self._root),
        )

    def _system_request(self, root: str) -> SystemRequest:
        request = self._request
        arguments = list(request.kernel_arguments)
        if not any(argument.startswith("root=") for argument in arguments):
            arguments.insert(0, root)
        if not {"rw", "ro"}.intersection(arguments):
            arguments.append("rw")
        return SystemRequest(
            request.repository,
            request.ref,
            request.stateroot,
            request.loader.value,
            arguments,
            request.remote,
            request.remote_options,
            request.tries,
        )

    def _mounts(self, layout: DiskLayout) -> list[Mount]:
        mounts = []
        for volume in layout.volumes:
            if volume.role is Role.BOOT:
                mounts.append(Mount(str(volume.uuid), _BOOT, "defaults,noatime"))
            elif volume.role is Role.DATA:
                # A system has to come up without it.
                mounts.append(Mount(str(volume.uuid), _DATA, "defaults,noatime,nofail"))
        if self._request.loader is Loader.SYSTEMD_BOOT:
            uuid = layout.volumes[0].fat_uuid
            # After /boot, below which it is.  Without nofail, with which systemd could unmount it
            # before an update is finished at shutdown.
            mounts.append(Mount(uuid, _ESP, "umask=0077,noatime", "vfat"))
        return mounts

    def _gather_firmware(self, uuids: Mapping[Role, UUID]) -> None:
        request = self._request
        if request.extra is not None:
            firmware.gather_extra(self._firmware, request.extra)
        if request.loader is Loader.UBOOT and request.boot_script is not None:
            firmware.gather_uboot(self._firmware, request.boot_script)
        elif request.loader is Loader.GRUB2:
            boot = uuids.get(Role.BOOT, uuids[Role.ROOT])
            architecture = request.architecture
            firmware.gather_grub(self._firmware, self._tools, architecture=architecture, boot=boot)
        elif request.loader is Loader.SYSTEMD_BOOT:
            firmware.gather_systemd_boot(self._firmware, request.architecture)

    def _write(self, layout: DiskLayout, system: MadeSystem) -> None:
        with open(self._image, "xb") as file:
            file.truncate(layout.size)
            _write_table(file.fileno(), layout)
        empty = f"{self._image}.empty"
        _make_root(empty)
        sources = {Role.BOOT: self._boot, Role.ROOT: self._root, Role.DATA: empty}
        for volume in layout.volumes:
            self._tell(volume)
            if volume.role is Role.FIRMWARE:
                file_system.write_fat(self._tools, self._image, volume, self._firmware)
            else:
                file_system.write_ext4(self._tools, self._image, volume, sources[volume.role])
            if volume.role is Role.ROOT:
                path = f"/{system.deployment}"
                file_system.make_immutable(self._tools, self._image, volume, path)
        _sync(self._image)

    def _tell(self, volume: Volume) -> None:
        size = f"{volume.size >> 20} MiB"
        self._on_event(Message(f"Writing the file system {volume.role.value}, {size}"))


def _users() -> int:
    """How many users there are in our user namespace (user_namespaces(7))."""
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            return sum(int(line.split()[2]) for line in file)
    except (OSError, ValueError, IndexError):
        return _ALL_USERS


def _make_root(path: str) -> None:
    """A directory that becomes the root of a file system, or a mount point, whatever the umask."""
    os.mkdir(path)
    os.chmod(path, _ROOT_MODE)


def _with_identities(layout: DiskLayout, planned: DiskLayout) -> DiskLayout:
    """A layout with the identities of another one, which are written in boot entries already."""
    volumes = tuple(
        volume._replace(
            uuid=before.uuid, partition=volume.partition._replace(uuid=before.partition.uuid)
        )
        for volume, before in zip(layout.volumes, planned.volumes, strict=True)
    )
    return layout._replace(disk=planned.disk, volumes=volumes)


def _write_table(fd: int, layout: DiskLayout) -> None:
    sectors = layout.size // SECTOR
    if layout.table is Table.MBR:
        data = mbr.encode(layout.partitions, signature=layout.signature, sectors=sectors)
        os.pwrite(fd, data, 0)
        return
    table = gpt.encode(layout.partitions, disk=layout.disk, sectors=sectors)
    os.pwrite(fd, table.start, 0)
    os.pwrite(fd, table.end, layout.size - len(table.end))


def _sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
