"""The switch from one deployment list to another (deployments §9).

Up to the rename of ``boot/loader``, or of ``ostree/boot.V`` in a sub-swap, everything written is
new or unused, so that a crash leaves the old list; after it, the new one.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress

from ostree.errors import SysrootError
from ostree.formats.os_release import parse_os_release
from ostree.sysroot.boot_plan import BootFacts, plan_full_swap, plan_sub_swap
from ostree.sysroot.bootloaders.choice import choose_bootloader
from ostree.sysroot.deployment_list import SwapKind
from ostree.sysroot.journal import tell_list_written
from ostree.sysroot.kernel import find_kernel
from ostree.sysroot.kernel_install import install_kernel
from ostree.sysroot.layout import (
    MAX_TEXT,
    entries_directory,
    loader_directory,
    read_subbootversion,
)
from ostree.sysroot.overlay_initrds import install_overlays
from ostree.sysroot.step import step
from ostree.sysroot.tree_files import DirectoryFiles
from ostree.system.files import make_directories, open_subdirectory, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.events import Listener
    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.boot_disk import BootDisk
    from ostree.sysroot.boot_plan import BootPlan, KernelInstall
    from ostree.sysroot.bootloaders.bootloader import Bootloader
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.settings import SysrootSettings
    from ostree.sysroot.tree_files import TreeFiles


class ListWriter:
    """Makes a list the active one.

    Args:
        root_fd: The sysroot.
        disk: Brings it to the disk in the right order.
        config: The repository's ``[sysroot]`` group.
        settings: How to do it.
        version_of: The ``version`` metadata of a deployment's commit.
        on_event: Is told what was done.
        seal: Whether kernels that are copied to ``/boot`` are sealed with fs-verity if possible.
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
        seal: bool = False,
    ) -> None:
        self._seal = seal
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
        plan = self._plan(deployments, kind, bootversion)
        atomic, name = True, "none"
        if kind is SwapKind.SUB:
            self._sub_swap(plan)
        else:
            bootloader = choose_bootloader(self._config, self._settings, self._root_fd)
            atomic, name = bootloader.atomic, bootloader.name
            self._full_swap(plan, bootloader)
        tell_list_written(
            self._on_event,
            versions=(plan.bootversion, plan.subbootversion),
            swapped=kind is SwapKind.FULL,
            atomic=atomic,
            bootloader=name,
            configured=self._config.bootloader,
            old_count=old_count,
            new_count=len(deployments),
        )

    def _plan(
        self, deployments: Sequence[Deployment], kind: SwapKind, bootversion: int
    ) -> BootPlan:
        if kind is SwapKind.SUB:
            return plan_sub_swap(
                deployments,
                bootversion=bootversion,
                subbootversion=read_subbootversion(self._root_fd, bootversion),
            )
        with step("Installing kernel"):
            return plan_full_swap(
                deployments,
                [
                    read_boot_facts(d, self._root_fd, self._settings, self._version_of(d))
                    for d in deployments
                ],
                bootversion=bootversion,
                subbootversion=read_subbootversion(self._root_fd, 1 - bootversion),
                config=self._config,
                old_names=self._settings.old_entry_names,
            )

    def _require_directory(self, deployment: Deployment) -> None:
        try:
            os.close(open_subdirectory(self._root_fd, deployment.path))
        except OSError as error:
            raise SysrootError(
                f"Unable to find expected deployment root: {deployment.path}"
            ) from error

    # sub-swap ---------------------------------------------------------------------------------

    def _sub_swap(self, plan: BootPlan) -> None:
        with step("Creating new current bootlinks"):
            self._make_bootlinks(plan)
            path = f"ostree/boot.{plan.bootversion}"
            self._disk.prepare_link(f"boot.{plan.bootversion}.{plan.subbootversion}", path)
        self._disk.full_sync()
        with step("Swapping new version bootlinks"):
            self._disk.switch_link(path)

    def _make_bootlinks(self, plan: BootPlan) -> None:
        """Make the unused farm of bootlinks."""
        self._disk.remove(plan.farm)
        make_directories(plan.farm, self._root_fd, 0o755)
        for path, target in plan.bootlinks:
            make_directories(os.path.dirname(path), self._root_fd, 0o755)
            os.symlink(target, path, dir_fd=self._root_fd)

    # full swap --------------------------------------------------------------------------------

    def _full_swap(self, plan: BootPlan, bootloader: Bootloader) -> None:
        entries = entries_directory(plan.bootversion)
        with step("Installing kernel"):
            self._disk.remove(entries)
            make_directories(entries, self._root_fd, 0o755)
            for install in plan.kernels:
                self._install(install)
            for file in plan.entries:
                replace_file(file.path, file.data or b"", self._root_fd, sync=False)
        with step("Creating new current bootlinks"):
            self._make_bootlinks(plan)
        with step("Swapping new version bootlinks"):
            # Harmless: nothing boots this bootversion yet.
            self._disk.point_link(
                f"boot.{plan.bootversion}.{plan.subbootversion}", f"ostree/boot.{plan.bootversion}"
            )
        with step("Bootloader write config"):
            bootloader.write_config(plan.bootversion, plan.deployments)
        self._switch_loader(plan.bootversion)
        with step("Bootloader write config"):
            bootloader.after_swap(plan.bootversion, plan.deployments)

    def _install(self, install: KernelInstall) -> None:
        """Kernel and overlay initrds of one deployment."""
        fd = open_subdirectory(self._root_fd, install.deployment.path)
        try:
            install_kernel(install.kernel, fd, install.directory, self._root_fd, seal=self._seal)
        finally:
            os.close(fd)
        overlays = install.deployment.entry.overlay_initrds
        install_overlays(overlays, self._settings.run_directory, self._root_fd)

    def _switch_loader(self, bootversion: int) -> None:
        with step("Preparing final bootloader swap"):
            make_directories(loader_directory(bootversion), self._root_fd, 0o755)
            with suppress(FileExistsError):
                os.symlink(".", "boot/boot", dir_fd=self._root_fd)
            self._disk.prepare_link(f"loader.{bootversion}", "boot/loader")
        self._disk.full_sync()
        with step("Final bootloader swap"):
            self._disk.switch_link("boot/loader")


def read_boot_facts(
    deployment: Deployment, root_fd: int, settings: SysrootSettings, version: str | None
) -> BootFacts:
    """What has to be known of a deployment to write its boot entry.

    Args:
        deployment: It is checked out.
        root_fd: The sysroot.
        settings: Whether device trees belong to the kernel.
        version: The ``version`` metadata of its commit.

    Raises:
        SysrootError: it has no kernel, or no os-release file.
    """
    fd = open_subdirectory(root_fd, deployment.path)
    try:
        files = DirectoryFiles(fd)
        kernel = find_kernel(files, device_trees=settings.device_trees)
        return BootFacts(kernel, read_os_release(files), version)
    finally:
        os.close(fd)


def read_os_release(files: TreeFiles) -> dict[str, str]:
    """The variables of a tree's os-release file.

    Raises:
        SysrootError: there is none, or it is too long to be one.
    """
    # The last is what /etc is made of, where that is still to be done.
    for path in ("usr/lib/os-release", "etc/os-release", "usr/etc/os-release"):
        real = files.find(path, stat.S_IFREG)
        if real is None:
            continue
        if files.size(real) > MAX_TEXT:
            raise SysrootError(f"/{path} is larger than {MAX_TEXT} bytes")
        return parse_os_release(b"".join(files.read(real)).decode("utf-8", "replace"))
    raise SysrootError("No such file or directory: /etc/os-release")


def touch_deployments(root_fd: int) -> None:
    """Tell who watches ``ostree/deploy`` that something changed."""
    now = time.time_ns()
    os.utime("ostree/deploy", ns=(now, now), dir_fd=root_fd)
