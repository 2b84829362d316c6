"""The deployment list as the boot configuration tells it (deployments §3)."""

from __future__ import annotations

import errno
import os
import stat
from functools import cmp_to_key

from ostree.errors import FormatError, OSTreeError, SysrootError
from ostree.formats.boot_entry import BootEntry, is_entry_name, parse_counters
from ostree.formats.boot_link import parse_boot_link, parse_bootlink_target
from ostree.formats.booted_state import BootedState
from ostree.formats.keyfile import KeyFile
from ostree.formats.origin import is_hotfixed
from ostree.formats.version_order import compare_versions
from ostree.sysroot.boot_config import boot_link_of
from ostree.sysroot.deployment import Deployment, UnlockedState
from ostree.sysroot.layout import MAX_TEXT, entries_directory
from ostree.sysroot.step import step
from ostree.system.files import describe, exists, list_directory, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_OVERLAY_NAME_LENGTH = 64 + len(".img")


def load_deployments(root_fd: int, bootversion: int, run_directory: str) -> list[Deployment]:
    """All deployments that have a boot entry, the default one first.

    Raises:
        SysrootError: an entry leads nowhere.
        FormatError: an entry or an origin is malformed.
    """
    _require_entries(root_fd, bootversion)
    deployments = []
    for index, (name, entry) in enumerate(_sorted_entries(root_fd, bootversion)):
        try:
            deployments.append(_load_deployment(root_fd, entry, index, run_directory))
        except OSTreeError as error:
            error.hint = error.hint or f"boot entry {entries_directory(bootversion)}/{name}"
            raise
    return deployments


def _require_entries(root_fd: int, bootversion: int) -> None:
    """Tell a boot configuration that is gone from one that was never written.

    To take it for an empty list would make everything garbage that is still to be booted.
    """
    directory = entries_directory(bootversion)
    if not exists(directory, root_fd) and exists(f"ostree/boot.{bootversion}", root_fd):
        raise SysrootError(
            f"{directory}: {os.strerror(errno.ENOENT)}",
            hint="there are bootlinks for it; is /boot mounted?",
        )


def load_entries(root_fd: int, bootversion: int) -> list[BootEntry]:
    """All boot entries of a bootversion, the default one first.

    Raises:
        FormatError: one is no text, or too long.
        OSError: reading failed.
    """
    return [entry for _, entry in _sorted_entries(root_fd, bootversion)]


def _sorted_entries(root_fd: int, bootversion: int) -> list[tuple[str, BootEntry]]:
    return sorted(read_entries(root_fd, bootversion), key=_BY_VERSION, reverse=True)


def _compare_entries(a: tuple[str, BootEntry], b: tuple[str, BootEntry]) -> int:
    version_a, version_b = a[1].get("version"), b[1].get("version")
    if version_a is None or version_b is None:
        return (version_a is not None) - (version_b is not None)
    return compare_versions(version_a, version_b)


_BY_VERSION = cmp_to_key(_compare_entries)


def read_entries(root_fd: int, bootversion: int) -> Iterator[tuple[str, BootEntry]]:
    """The names of the files of a bootversion that are boot entries of ours, and what they say."""
    directory = entries_directory(bootversion)
    for name in list_directory(directory, root_fd):
        path = f"{directory}/{name}"
        if is_entry_name(name) and _is_regular(path, root_fd):
            with step(f"Parsing {name}"):
                entry = BootEntry.parse(read_text(path, root_fd))
            entry.counters = parse_counters(name)
            yield name, entry


def _is_regular(path: str, root_fd: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(path, dir_fd=root_fd).st_mode)
    except FileNotFoundError:
        return False


def read_text(path: str, dir_fd: int) -> str:
    """The text of a file of the boot configuration.

    Raises:
        FormatError: it is not UTF-8, or longer than such a file can be.
        OSError: it cannot be read.
    """
    try:
        return read_file(path, dir_fd, limit=MAX_TEXT).decode()
    except UnicodeDecodeError as error:
        raise FormatError("Invalid UTF-8") from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise FormatError(f"File is larger than {MAX_TEXT} bytes") from error
        raise


def _load_deployment(root_fd: int, entry: BootEntry, index: int, run_directory: str) -> Deployment:
    for path in entry.overlay_initrds:
        name = os.path.basename(path)
        if len(name) != _OVERLAY_NAME_LENGTH:
            raise FormatError(f"Malformed overlay initrd filename: {name}")
    argument = boot_link_of(entry)
    link = parse_boot_link(argument)
    with step(f"Parsing deployment {argument} in stateroot '{link.stateroot}'"):
        target = _read_bootlink(argument.lstrip("/"), root_fd)
        checksum, serial = parse_bootlink_target(target, link.stateroot)
        deployment = Deployment(
            stateroot=link.stateroot,
            checksum=checksum,
            serial=serial,
            bootcsum=link.bootcsum,
            index=index,
            bootserial=link.serial,
            entry=entry,
        )
        if not exists(deployment.path, root_fd):
            raise SysrootError(f"opendir({argument.lstrip('/')}): {os.strerror(errno.ENOENT)}")
        deployment.origin = read_origin(deployment, root_fd)
    deployment.unlocked = read_unlocked(deployment, run_directory)
    return deployment


def _read_bootlink(path: str, root_fd: int) -> str:
    try:
        return os.readlink(path, dir_fd=root_fd)
    except OSError as error:
        raise SysrootError(describe("readlinkat", error)) from error


def read_origin(deployment: Deployment, root_fd: int) -> KeyFile | None:
    """The origin file of a deployment, or None if it has none.

    Raises:
        FormatError: it is no key file.
    """
    path = f"{deployment.path}.origin"
    with step(f"Parsing {path}"):
        try:
            data = read_file(path, root_fd, limit=MAX_TEXT)
        except FileNotFoundError:
            return None
        return KeyFile.parse(data)


def read_unlocked(deployment: Deployment, run_directory: str) -> UnlockedState:
    """Whether ``/usr`` of a deployment is writable now."""
    directory = f"{run_directory}/ostree/deployment-state/{deployment.name}"
    for state in (UnlockedState.DEVELOPMENT, UnlockedState.TRANSIENT):
        if os.path.exists(f"{directory}/unlocked-{state.value}"):
            return state
    return UnlockedState.HOTFIX if is_hotfixed(deployment.origin) else UnlockedState.NONE


class BootedFacts:
    """Whether the running system was booted from this sysroot, and which directory is its root."""

    __slots__ = ("device", "inode")

    def __init__(self, device: int, inode: int) -> None:
        self.device = device
        self.inode = inode


def read_booted_facts(root_fd: int, run_directory: str) -> BootedFacts | None:
    """What tells the booted deployment, or None if nothing of this sysroot is booted.

    Raises:
        FormatError: the state file is longer than it can be.
        OSError: it cannot be read.
    """
    try:
        data = read_file(f"{run_directory}/ostree-booted", limit=MAX_TEXT)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise FormatError(f"{run_directory}/ostree-booted is too large") from error
        raise
    root = os.stat("/")
    if not os.path.samestat(root, os.fstat(root_fd)):
        return None
    recorded = BootedState.decode(data).device_inode
    if recorded is not None:
        return BootedFacts(*recorded)
    return BootedFacts(root.st_dev, root.st_ino)


def mark_soft_reboot(deployments: list[Deployment], run_directory: str, root_fd: int) -> None:
    """Mark the deployment that a soft reboot would lead to.

    Raises:
        OSError: what says so cannot be read.
    """
    try:
        data = read_file(f"{run_directory}/ostree/nextroot-booted", limit=MAX_TEXT)
    except FileNotFoundError:
        return
    target = BootedState.decode(data).device_inode
    for deployment in deployments:
        info = os.stat(deployment.path, dir_fd=root_fd)
        deployment.soft_reboot_target = (info.st_dev, info.st_ino) == target


def is_foreign(root_fd: int, run_directory: str) -> bool:
    """Whether the sysroot is another one than that which we run in."""
    if read_booted_facts(root_fd, run_directory) is not None:
        return False
    return not os.path.samestat(os.stat("/"), os.fstat(root_fd))


def find_booted(deployments: list[Deployment], facts: BootedFacts, root_fd: int) -> Deployment:
    """The deployment that is running.

    Raises:
        SysrootError: none of the list is.
    """
    for deployment in deployments:
        info = os.stat(deployment.path, dir_fd=root_fd)
        if (info.st_dev, info.st_ino) == (facts.device, facts.inode):
            return deployment
    missing = "no /boot/loader directory" if not exists("boot/loader", root_fd) else ""
    raise SysrootError(
        "Unexpected state: /run/ostree-booted found, but " + missing
        if missing
        else "Unexpected state: /run/ostree-booted found and in / sysroot, "
        "but bootloader entry not found"
    )
