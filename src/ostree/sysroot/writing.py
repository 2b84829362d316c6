"""The switch from one deployment list to another (deployments §9).

Up to the rename of ``boot/loader``, or of ``ostree/boot.V`` in a sub-swap, everything written is
new or unused, so that a crash leaves the old list; after it, the new one.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ostree.errors import SysrootError
from ostree.formats.boot_entry import entry_file_name
from ostree.formats.boot_link import format_bootlink_target
from ostree.formats.os_release import boot_title, parse_os_release
from ostree.sysroot.boot_config import fill_entry
from ostree.sysroot.bootloaders.choice import choose_bootloader
from ostree.sysroot.deployment_list import SwapKind, has_several_stateroots
from ostree.sysroot.journal import tell_list_written
from ostree.sysroot.kernel import find_kernel
from ostree.sysroot.kernel_install import install_kernel
from ostree.sysroot.layout import (
    MAX_TEXT,
    bootlinks_directory,
    entries_directory,
    loader_directory,
    read_subbootversion,
)
from ostree.sysroot.overlay_initrds import install_overlays
from ostree.sysroot.resolve import resolve_inside
from ostree.sysroot.step import step
from ostree.system.files import (
    make_directories,
    open_subdirectory,
    read_file,
    replace_file,
    replace_symlink,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.events import Listener
    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.boot_disk import BootDisk
    from ostree.sysroot.bootloaders.bootloader import Bootloader
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.settings import SysrootSettings


class ListWriter:
    """Makes a list the active one.

    Args:
        root_fd: The sysroot.
        disk: Brings it to the disk in the right order.
        config: The repository's ``[sysroot]`` group.
        settings: How to do it.
        version_of: The ``version`` metadata of a deployment's commit.
        on_event: Is told what was done.
    """

    def __init__(
        self,
        root_fd: int,
        disk: BootDisk,
        config: SysrootConfig,
        settings: SysrootSettings,
        *,
        version_of: Callable[[Deployment], str | None],
        on_event: Listener,
    ) -> None:
        self._root_fd = root_fd
        self._disk = disk
        self._config = config
        self._settings = settings
        self._version_of = version_of
        self._on_event = on_event

    def write(
        self, deployments: Sequence[Deployment], kind: SwapKind, *, bootversion: int, old_count: int
    ) -> None:
        """Switch to a list whose members are placed (:func:`deployment_list.place`).

        Args:
            deployments: The new list.
            kind: How far the switch goes; something has to be done.
            bootversion: The active one.
            old_count: The length of the active list, for the message.
        """
        for deployment in deployments:
            self._require_directory(deployment)
        atomic = True
        bootloader = None
        if kind is SwapKind.SUB:
            subbootversion = self._sub_swap(deployments, bootversion)
        else:
            bootversion = 1 - bootversion
            bootloader = choose_bootloader(self._config, self._settings, self._root_fd)
            atomic = bootloader is not None and bootloader.atomic
            subbootversion = self._full_swap(deployments, bootversion, bootloader)
        tell_list_written(
            self._on_event,
            versions=(bootversion, subbootversion),
            swapped=kind is SwapKind.FULL,
            atomic=atomic,
            bootloader="none" if bootloader is None else bootloader.name,
            configured=self._config.bootloader,
            old_count=old_count,
            new_count=len(deployments),
        )

    def _require_directory(self, deployment: Deployment) -> None:
        try:
            os.close(open_subdirectory(self._root_fd, deployment.path))
        except OSError as error:
            raise SysrootError(
                f"Unable to find expected deployment root: {deployment.path}"
            ) from error

    # sub-swap ---------------------------------------------------------------------------------

    def _sub_swap(self, deployments: Sequence[Deployment], bootversion: int) -> int:
        with step("Creating new current bootlinks"):
            subbootversion = self._make_bootlinks(deployments, bootversion)
        path = f"ostree/boot.{bootversion}"
        self._disk.prepare_link(f"boot.{bootversion}.{subbootversion}", path)
        self._disk.full_sync()
        with step("Swapping new version bootlinks"):
            self._disk.switch_link(path)
        return subbootversion

    def _make_bootlinks(self, deployments: Sequence[Deployment], bootversion: int) -> int:
        """Make the unused farm of bootlinks; its subbootversion."""
        subbootversion = 1 - read_subbootversion(self._root_fd, bootversion)
        farm = bootlinks_directory(bootversion, subbootversion)
        self._disk.remove(farm)
        make_directories(farm, self._root_fd, 0o755)
        for deployment in deployments:
            directory = f"{farm}/{deployment.stateroot}/{deployment.bootcsum}"
            make_directories(directory, self._root_fd, 0o755)
            target = format_bootlink_target(deployment.stateroot, deployment.name)
            replace_symlink(target, f"{directory}/{deployment.bootserial}", self._root_fd)
        return subbootversion

    # full swap --------------------------------------------------------------------------------

    def _full_swap(
        self,
        deployments: Sequence[Deployment],
        bootversion: int,
        bootloader: Bootloader | None,
    ) -> int:
        entries = entries_directory(bootversion)
        self._disk.remove(entries)
        make_directories(entries, self._root_fd, 0o755)
        several = has_several_stateroots(deployments)
        for deployment in deployments:
            with step("Installing kernel"):
                self._install(
                    deployment,
                    number=len(deployments) - deployment.index,
                    bootversion=bootversion,
                    tell_stateroot=several,
                )
        with step("Creating new current bootlinks"):
            subbootversion = self._make_bootlinks(deployments, bootversion)
        with step("Swapping new version bootlinks"):
            # Harmless: nothing boots this bootversion yet.
            self._disk.point_link(
                f"boot.{bootversion}.{subbootversion}", f"ostree/boot.{bootversion}"
            )
        if bootloader is not None:
            with step("Bootloader write config"):
                bootloader.write_config(bootversion, deployments)
        self._switch_loader(bootversion)
        if bootloader is not None:
            with step("Bootloader write config"):
                bootloader.after_swap(bootversion, deployments)
        return subbootversion

    def _install(
        self, deployment: Deployment, *, number: int, bootversion: int, tell_stateroot: bool
    ) -> None:
        """Kernel and boot entry of one deployment."""
        fd = open_subdirectory(self._root_fd, deployment.path)
        try:
            kernel = find_kernel(fd, device_trees=self._settings.device_trees)
            directory = f"boot/ostree/{deployment.stateroot}-{deployment.bootcsum}"
            install_kernel(kernel, fd, directory, self._root_fd)
            title = boot_title(
                read_os_release(fd),
                version=self._version_of(deployment),
                stateroot=deployment.stateroot if tell_stateroot else None,
                index=deployment.index,
            )
        finally:
            os.close(fd)
        # The list that is still active keeps its entry.
        deployment.entry = deployment.entry.copy()
        if kernel.initramfs is None:
            deployment.entry.overlay_initrds = []
        install_overlays(
            deployment.entry.overlay_initrds, self._settings.run_directory, self._root_fd
        )
        fill_entry(
            deployment.entry,
            deployment,
            kernel,
            title=title,
            number=number,
            bootversion=bootversion,
            config=self._config,
        )
        name = entry_file_name(number, tries=self._config.tries, counters=deployment.entry.counters)
        path = f"{entries_directory(bootversion)}/{name}"
        replace_file(path, deployment.entry.to_text().encode(), self._root_fd, sync=False)

    def _switch_loader(self, bootversion: int) -> None:
        with step("Preparing final bootloader swap"):
            make_directories(loader_directory(bootversion), self._root_fd, 0o755)
            with suppress(FileExistsError):
                os.symlink(".", "boot/boot", dir_fd=self._root_fd)
            self._disk.prepare_link(f"loader.{bootversion}", "boot/loader")
        self._disk.full_sync()
        with step("Final bootloader swap"):
            self._disk.switch_link("boot/loader")


def read_os_release(deployment_fd: int) -> dict[str, str]:
    """The variables of a deployment's os-release file.

    Symbolic links are followed as after chroot(2) into the deployment.

    Raises:
        OSError: there is none, or it is too long to be one.
    """
    for path in ("usr/lib/os-release", "etc/os-release"):
        try:
            real = resolve_inside(path, deployment_fd, clamp=True)
            data = read_file(real, deployment_fd, limit=MAX_TEXT)
        except FileNotFoundError:
            continue
        return parse_os_release(data.decode("utf-8", "replace"))
    raise SysrootError("No such file or directory: /etc/os-release")


def touch_deployments(root_fd: int) -> None:
    """Tell who watches ``ostree/deploy`` that something changed."""
    now = time.time_ns()
    os.utime("ostree/deploy", ns=(now, now), dir_fd=root_fd)
