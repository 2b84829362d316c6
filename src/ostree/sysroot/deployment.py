"""One bootable tree and what is known about it."""

from __future__ import annotations

from enum import Enum

from ostree.formats.boot_entry import BootEntry
from ostree.formats.deployment_name import format_deployment_name
from ostree.formats.kernel_arguments import KernelArguments
from ostree.formats.origin import is_pinned, refspec_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.keyfile import KeyFile
    from ostree.types import Checksum


class UnlockedState(Enum):
    """Whether ``/usr`` of a deployment can be written to; the value is the word users see."""

    NONE = "none"
    DEVELOPMENT = "development"
    TRANSIENT = "transient"
    HOTFIX = "hotfix"


class Deployment:
    """A deployment as of the moment the list was loaded; compared by identity.

    Attributes:
        index: Place in the list; 0 is booted next.
        stateroot: The name of the stateroot, which owns ``/var``.
        checksum: The commit.
        serial: Tells deployments of one commit in one stateroot apart.
        bootcsum: The checksum of kernel and initramfs.
        bootserial: Tells deployments with one boot checksum apart.
        origin: The origin file, or None if there is none.
        entry: The boot entry; its ``options`` are the kernel arguments.
        unlocked: Whether and how ``/usr`` is writable.
        staged: Whether it is to be finished at shutdown and has no boot entry yet.
        finalization_locked: Whether it is staged and the shutdown is not to finish it.
        soft_reboot_target: Whether a soft reboot would lead to it.
    """

    __slots__ = (
        "bootcsum",
        "bootserial",
        "checksum",
        "entry",
        "finalization_locked",
        "index",
        "origin",
        "serial",
        "soft_reboot_target",
        "staged",
        "stateroot",
        "unlocked",
    )

    def __init__(
        self,
        *,
        stateroot: str,
        checksum: Checksum,
        serial: int,
        bootcsum: str,
        index: int = -1,
        bootserial: int = -1,
        origin: KeyFile | None = None,
        entry: BootEntry | None = None,
        unlocked: UnlockedState = UnlockedState.NONE,
        staged: bool = False,
        finalization_locked: bool = False,
        soft_reboot_target: bool = False,
    ) -> None:
        self.index = index
        self.stateroot = stateroot
        self.checksum = checksum
        self.serial = serial
        self.bootcsum = bootcsum
        self.bootserial = bootserial
        self.origin = origin
        self.entry = BootEntry() if entry is None else entry
        self.unlocked = unlocked
        self.staged = staged
        self.finalization_locked = finalization_locked
        self.soft_reboot_target = soft_reboot_target

    def placed(self, index: int, bootserial: int) -> Deployment:
        """A copy for another place in the list; entry and origin are shared."""
        return Deployment(
            stateroot=self.stateroot,
            checksum=self.checksum,
            serial=self.serial,
            bootcsum=self.bootcsum,
            index=index,
            bootserial=bootserial,
            origin=self.origin,
            entry=self.entry,
            unlocked=self.unlocked,
            staged=self.staged,
            finalization_locked=self.finalization_locked,
            soft_reboot_target=self.soft_reboot_target,
        )

    @property
    def name(self) -> str:
        """``CHECKSUM.SERIAL``, the name of the directory."""
        return format_deployment_name(self.checksum, self.serial)

    @property
    def path(self) -> str:
        """The directory, relative to the sysroot."""
        return f"ostree/deploy/{self.stateroot}/deploy/{self.name}"

    @property
    def key(self) -> tuple[str, str, int]:
        """What identifies the directory: stateroot, commit and serial."""
        return (self.stateroot, self.checksum, self.serial)

    @property
    def kernel_arguments(self) -> KernelArguments:
        """The kernel arguments, ``ostree=`` included if the deployment was written before."""
        return KernelArguments.parse(self.entry.get("options") or "")

    @property
    def pinned(self) -> bool:
        """Whether it stays until it is unpinned."""
        return is_pinned(self.origin)

    @property
    def refspec(self) -> str | None:
        """What an upgrade follows."""
        return refspec_of(self.origin)

    def __repr__(self) -> str:
        return f"<Deployment {self.index}: {self.stateroot} {self.name}>"
