"""The FAT partition that firmware reads: what starts the boot loader, or tells it what to do."""

from __future__ import annotations

import os
import shutil
from enum import Enum

from ostree.errors import ImageError
from ostree.formats import grub_environment, uboot_script
from ostree.formats.disk_partition import PartitionKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from uuid import UUID

    from ostree.image.tool import Toolbox


class Loader(Enum):
    """The boot loader of an image."""

    UBOOT = "uboot"
    GRUB2 = "grub2"
    SYSTEMD_BOOT = "systemd-boot"
    NONE = "none"


#: Those for which ``[sysroot] boot-counting-tries`` says when another deployment is taken.
COUNTING = (Loader.GRUB2, Loader.SYSTEMD_BOOT)

#: What U-Boot's script keeps between boots; it must be there to be written to.
_BOOT_STATE = b"bootcount=0\n"
#: Where GRUB keeps what it counts; also its prefix.
_GRUB_DIRECTORY = "EFI/ostree"
#: GRUB's modules that find ``grub.cfg`` on ext4, count and start a kernel.
_GRUB_MODULES = (
    *("part_gpt", "part_msdos", "ext2", "fat", "search", "search_fs_uuid", "configfile"),
    *(
        "normal",
        "linux",
        "echo",
        "test",
        "loadenv",
        "serial",
        "terminal",
        "gzio",
        "all_video",
        "reboot",
    ),
)
#: Of GRUB's platforms those with UEFI, and the program that UEFI looks for on a disk.
_GRUB_PLATFORMS = {
    "x86_64": ("x86_64-efi", "BOOTX64.EFI"),
    "aarch64": ("arm64-efi", "BOOTAA64.EFI"),
}
_SYSTEMD_BOOT_DIRECTORY = "/usr/lib/systemd/boot/efi"
_SYSTEMD_BOOT = {
    "x86_64": ("systemd-bootx64.efi", "BOOTX64.EFI"),
    "aarch64": ("systemd-bootaa64.efi", "BOOTAA64.EFI"),
}


def firmware_kind(loader: Loader, *, extra: bool) -> PartitionKind | None:
    """Which FAT partition a boot loader wants, None for none.

    Args:
        loader: The boot loader.
        extra: Whether there are files of the user's for it.
    """
    if loader in {Loader.GRUB2, Loader.SYSTEMD_BOOT}:
        return PartitionKind.EFI
    return PartitionKind.FAT if loader is Loader.UBOOT or extra else None


def needed_tools(loader: Loader, *, extra: bool) -> list[str]:
    """The programs that make it."""
    tools = [] if firmware_kind(loader, extra=extra) is None else ["mkfs.vfat", "mcopy"]
    return [*tools, "grub-mkimage"] if loader is Loader.GRUB2 else tools


def gather_uboot(directory: str, script: bytes) -> None:
    """What U-Boot reads: the script, compiled if it is not yet, and the state it keeps.

    Args:
        directory: Where to.
        script: ``boot.cmd`` or ``boot.scr``.

    Raises:
        FormatError: it is too long.
    """
    if not uboot_script.is_script(script):
        script = uboot_script.encode(script, name="OSTree boot script")
    _write(directory, "boot.scr", script)
    _write(directory, "bootstate.env", _BOOT_STATE)


def gather_grub(directory: str, tools: Toolbox, *, architecture: str, boot: UUID) -> None:
    """GRUB as an EFI program that goes on with ``grub.cfg`` on the file system of ``/boot``.

    What it counts stays on its own partition: it writes in place, without regard for a journal.

    Raises:
        ImageError: it cannot be made here for this architecture.
    """
    if architecture not in _GRUB_PLATFORMS:
        raise ImageError(f"GRUB for UEFI on {architecture} is not known here")
    platform, name = _GRUB_PLATFORMS[architecture]
    if not os.path.isdir(f"/usr/lib/grub/{platform}"):
        package = {"x86_64-efi": "grub-efi-amd64-bin", "arm64-efi": "grub-efi-arm64-bin"}[platform]
        raise ImageError(
            f"GRUB's modules for {platform} are not installed",
            hint=f"they are in the Debian package {package}",
        )
    place = os.path.join(directory, "EFI", "BOOT")
    os.makedirs(place, exist_ok=True)
    early = os.path.join(directory, "early.cfg")
    with open(early, "w", encoding="ascii") as file:
        file.write(
            f"search --no-floppy --fs-uuid --set=root {boot}\n"
            "configfile ($root)/boot/grub/grub.cfg\n"
        )
    program = os.path.join(place, name)
    where = ("-O", platform, "-p", f"/{_GRUB_DIRECTORY}", "-c", early, "-o", program)
    tools.run("grub-mkimage", *where, *_GRUB_MODULES)
    os.unlink(early)
    os.makedirs(os.path.join(directory, _GRUB_DIRECTORY), exist_ok=True)
    _write(directory, f"{_GRUB_DIRECTORY}/grubenv", grub_environment.empty_block())


def gather_mounted(directory: str, mounted: str) -> None:
    """What was written where the partition will be mounted; the mount point is empty afterwards.

    Args:
        directory: Where to.
        mounted: The mount point.
    """
    for name in os.listdir(mounted):
        shutil.move(os.path.join(mounted, name), os.path.join(directory, name))


def gather_systemd_boot(directory: str, architecture: str) -> None:
    """systemd-boot, where UEFI looks for it and where ``bootctl`` does.

    Raises:
        ImageError: it is not installed here for this architecture.
    """
    path = find_systemd_boot(architecture)
    source, name = _SYSTEMD_BOOT[architecture]
    for place in (f"EFI/BOOT/{name}", f"EFI/systemd/{source}"):
        target = os.path.join(directory, place)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(path, target)


def find_systemd_boot(architecture: str) -> str:
    """The path of the program on this machine.

    Raises:
        ImageError: it is not installed here for this architecture.
    """
    if architecture not in _SYSTEMD_BOOT:
        raise ImageError(f"systemd-boot on {architecture} is not known here")
    path = os.path.join(_SYSTEMD_BOOT_DIRECTORY, _SYSTEMD_BOOT[architecture][0])
    if not os.path.isfile(path):
        raise ImageError(
            f"{path} is not installed", hint="it is in the Debian package systemd-boot-efi"
        )
    return path


def gather_extra(directory: str, extra: str) -> None:
    """Files of the user's, as boards need them that find U-Boot itself on this partition.

    Raises:
        ImageError: they cannot be read.
    """
    try:
        shutil.copytree(extra, directory, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise ImageError(f"Copying {extra}: {error}") from error


def _write(directory: str, name: str, data: bytes) -> None:
    with open(os.path.join(directory, name), "wb") as file:
        file.write(data)
