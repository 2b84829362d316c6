"""What the boot entry of a deployment says; nothing here touches a disk (deployments §5)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.boot_link import BootLink
from ostree.formats.kernel_arguments import split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.boot_entry import BootEntry
    from ostree.formats.kernel_arguments import KernelArguments
    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.kernel import KernelLayout


def fill_entry(
    entry: BootEntry,
    deployment: Deployment,
    kernel: KernelLayout,
    *,
    title: str,
    number: int,
    bootversion: int,
    config: SysrootConfig,
) -> None:
    """Set in ``entry`` what the deployment's place in the new list requires.

    Args:
        entry: The deployment's entry, with its kernel arguments; changed.
        deployment: Placed in the new list.
        kernel: What is installed for it below ``/boot``.
        title: The title.
        number: Length of the list minus index.
        bootversion: That of the new configuration.
        config: The repository's ``[sysroot]`` group.

    Raises:
        FormatError: a value does not fit in a line of text.
    """
    prefix = "/boot/" if config.bootprefix else "/"
    directory = f"ostree/{deployment.stateroot}-{deployment.bootcsum}"
    entry.set("title", title)
    entry.set("version", str(number))
    entry.set("linux", f"{prefix}{directory}/{kernel.kernel.name}")
    if kernel.initramfs is not None:
        entry.set("initrd", f"{prefix}{directory}/{kernel.initramfs.name}")
    entry.overlay_initrds = [
        f"{prefix}ostree/initramfs-overlays/{path.rpartition('/')[2]}"
        for path in entry.overlay_initrds
    ]
    if kernel.aboot is not None:
        entry.set("aboot", f"/{directory}/{kernel.aboot.name}")
        entry.set("abootcfg", f"/{deployment.path}/usr/lib/ostree-boot/aboot.cfg")
    if kernel.devicetree is not None:
        key = "fdtdir" if kernel.devicetree.is_directory else "devicetree"
        entry.set(key, f"{prefix}{directory}/{kernel.devicetree.name}")
    entry.set("options", str(_boot_arguments(deployment, kernel, bootversion)))
    if deployment.index > 0:
        for key, value in config.extra_keys:
            entry.set(key, value)


def _boot_arguments(
    deployment: Deployment, kernel: KernelLayout, bootversion: int
) -> KernelArguments:
    link = BootLink(bootversion, deployment.stateroot, deployment.bootcsum, deployment.bootserial)
    arguments = deployment.kernel_arguments
    if kernel.initramfs is None:
        arguments.replace(f"init={link}/usr/lib/ostree/ostree-prepare-root")
    arguments.replace(f"ostree={link}")
    arguments.check()
    return arguments


#: What :func:`fill_entry` sets: never taken over from another deployment's entry.
_OWN_KEYS = frozenset(
    {
        "title",
        "version",
        "options",
        "linux",
        "initrd",
        "devicetree",
        "fdtdir",
        "aboot",
        "abootcfg",
    }
)


def extra_keys_of(entry: BootEntry) -> list[tuple[str, str]]:
    """The keys of an entry, with their values, that somebody else has put there."""
    return [(key, entry.get(key) or "") for key in entry.keys() if key not in _OWN_KEYS]  # noqa: SIM118


def boot_link_of(entry: BootEntry) -> str:
    """The value of the first ``ostree=`` of an entry's kernel arguments.

    Raises:
        FormatError: there is none.
    """
    for word in split_words(entry.get("options") or ""):
        if word.startswith("ostree="):
            return word.removeprefix("ostree=")
    raise FormatError("No ostree= kernel argument found")
