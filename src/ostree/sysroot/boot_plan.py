"""What becomes of the boot configuration when a list becomes the active one (deployments §9.3, §9.4).

Decided from facts; nothing here touches a disk.
"""

from __future__ import annotations

from ostree.formats.boot_entry import entry_file_name
from ostree.formats.boot_link import format_bootlink_target
from ostree.formats.os_release import boot_title
from ostree.sysroot.boot_config import fill_entry
from ostree.sysroot.bootloaders.bootloader import ConfigFile
from ostree.sysroot.deployment_list import SwapKind, has_several_stateroots
from ostree.sysroot.layout import bootlinks_directory, entries_directory, kernel_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.kernel import KernelLayout


class BootFacts:
    """What has to be known of a tree to write its boot entry.

    Attributes:
        kernel: What of it belongs below ``/boot``.
        os_release: The variables of its os-release file.
        version: The ``version`` metadata of its commit.
    """

    __slots__ = ("kernel", "os_release", "version")

    def __init__(
        self, kernel: KernelLayout, os_release: dict[str, str], version: str | None
    ) -> None:
        self.kernel = kernel
        self.os_release = os_release
        self.version = version


class KernelInstall:
    """A kernel to be put below ``/boot``, as far as it is not there.

    Attributes:
        deployment: Whose.
        kernel: The files.
        directory: Where to, relative to the sysroot.
    """

    __slots__ = ("deployment", "directory", "kernel")

    def __init__(self, deployment: Deployment, kernel: KernelLayout) -> None:
        self.deployment = deployment
        self.kernel = kernel
        self.directory = kernel_directory(deployment.stateroot, deployment.bootcsum)


class BootPlan:
    """A boot configuration that is to become the active one.

    Attributes:
        kind: How far the switch goes.
        deployments: The list, with the boot entries it will have.
        bootversion: The bootversion that will be active.
        subbootversion: The subbootversion that will be active in it.
        farm: The directory of bootlinks, made anew.
        bootlinks: Path and target of each bootlink.
        kernels: What is to be installed before.
        entries: The boot entries; none in a sub-swap, which leaves ``/boot`` alone.
    """

    __slots__ = (
        "bootlinks",
        "bootversion",
        "deployments",
        "entries",
        "farm",
        "kernels",
        "kind",
        "subbootversion",
    )

    def __init__(
        self,
        kind: SwapKind,
        deployments: Sequence[Deployment],
        bootversion: int,
        subbootversion: int,
    ) -> None:
        self.kind = kind
        self.deployments = tuple(deployments)
        self.bootversion = bootversion
        self.subbootversion = subbootversion
        self.farm = bootlinks_directory(bootversion, subbootversion)
        self.bootlinks = tuple(_bootlink(self.farm, d) for d in deployments)
        self.kernels: tuple[KernelInstall, ...] = ()
        self.entries: tuple[ConfigFile, ...] = ()


def _bootlink(farm: str, deployment: Deployment) -> tuple[str, str]:
    path = f"{farm}/{deployment.stateroot}/{deployment.bootcsum}/{deployment.bootserial}"
    return path, format_bootlink_target(deployment.stateroot, deployment.name)


def plan_sub_swap(
    deployments: Sequence[Deployment], *, bootversion: int, subbootversion: int
) -> BootPlan:
    """The switch to other bootlinks.

    Args:
        deployments: The new list, placed.
        bootversion: The active one; it stays.
        subbootversion: The active one.
    """
    return BootPlan(SwapKind.SUB, deployments, bootversion, 1 - subbootversion)


def plan_full_swap(
    deployments: Sequence[Deployment],
    facts: Sequence[BootFacts],
    *,
    bootversion: int,
    subbootversion: int,
    config: SysrootConfig,
    old_names: bool = False,
) -> BootPlan:
    """The switch to other boot entries.

    Args:
        deployments: The new list, placed; the entries of these objects stay what they are.
        facts: What is known of each.
        bootversion: The active one.
        subbootversion: That of the bootversion that is not active.
        config: The repository's ``[sysroot]`` group.
        old_names: Whether files of boot entries are named as before 2024.5.

    Raises:
        SysrootError: an os-release file names no system.
        FormatError: a value does not fit in a line of text.
    """
    new = 1 - bootversion
    several = has_several_stateroots(deployments)
    described = [
        _describe(deployment, known, len(deployments), new, config, tell_stateroot=several)
        for deployment, known in zip(deployments, facts, strict=True)
    ]
    plan = BootPlan(SwapKind.FULL, described, new, 1 - subbootversion)
    plan.kernels = tuple(
        KernelInstall(deployment, known.kernel)
        for deployment, known in zip(described, facts, strict=True)
    )
    directory = entries_directory(new)
    names = [_entry_name(d, len(described), config, old=old_names) for d in described]
    plan.entries = tuple(
        ConfigFile(f"{directory}/{name}", _entry_data(d))
        for name, d in zip(names, described, strict=True)
    )
    return plan


def _describe(
    deployment: Deployment,
    facts: BootFacts,
    count: int,
    bootversion: int,
    config: SysrootConfig,
    *,
    tell_stateroot: bool,
) -> Deployment:
    """A copy with the boot entry for its place; the list that is still active keeps its own."""
    described = deployment.placed(deployment.index, deployment.bootserial)
    described.entry = deployment.entry.copy()
    if facts.kernel.initramfs is None:
        described.entry.overlay_initrds = []
    fill_entry(
        described.entry,
        described,
        facts.kernel,
        title=boot_title(
            facts.os_release,
            version=facts.version,
            stateroot=deployment.stateroot if tell_stateroot else None,
            index=deployment.index,
        ),
        number=count - deployment.index,
        bootversion=bootversion,
        config=config,
    )
    return described


def _entry_name(deployment: Deployment, count: int, config: SysrootConfig, *, old: bool) -> str:
    return entry_file_name(
        count - deployment.index,
        tries=config.tries,
        counters=deployment.entry.counters,
        stateroot=deployment.stateroot if old else None,
    )


def _entry_data(deployment: Deployment) -> bytes:
    return deployment.entry.to_text().encode()
