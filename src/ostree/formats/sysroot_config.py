"""The ``[sysroot]`` group of a repository's configuration (repository format §4.3)."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.formats.boot_entry import parse_extra_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.keyfile import KeyFile

_BOOTLOADERS = ("auto", "none", "grub2", "syslinux", "uboot", "zipl", "aboot", "systemd-boot")
MAX_TRIES = 5


class SysrootConfig:
    """The ``[sysroot]`` group of the repository's configuration.

    Attributes:
        bootloader: ``auto``, ``none`` or the name of one.
        bootprefix: Whether paths in boot entries start with ``/boot``.
        tries: Boot attempts granted to a new deployment, 0 if they are not counted.
        extra_keys: Keys for every boot entry but the first.
    """

    __slots__ = ("bootloader", "bootprefix", "extra_keys", "tries")

    def __init__(
        self,
        *,
        bootloader: str = "auto",
        bootprefix: bool = False,
        tries: int = 0,
        extra_keys: list[tuple[str, str]] | None = None,
    ) -> None:
        self.bootloader = bootloader
        self.bootprefix = bootprefix
        self.tries = tries
        self.extra_keys = extra_keys or []


def parse_config(keyfile: KeyFile) -> SysrootConfig:
    """Read the ``[sysroot]`` group.

    Raises:
        SysrootError: a value is none of those allowed.
        FormatError: ``bls-append-except-default`` has a bad item.
    """
    bootloader = keyfile.find_string("sysroot", "bootloader") or "auto"
    if bootloader not in _BOOTLOADERS:
        raise SysrootError(f"Invalid bootloader configuration: '{bootloader}'")
    tries = keyfile.find_string("sysroot", "boot-counting-tries") or "0"
    if not (len(tries) == 1 and "0" <= tries <= str(MAX_TRIES)):
        raise SysrootError(
            f"Parsing sysroot.boot-counting-tries: Invalid value '{tries}', "
            f"expected 0 to {MAX_TRIES}"
        )
    extra = keyfile.find_string("sysroot", "bls-append-except-default") or ""
    return SysrootConfig(
        bootloader=bootloader,
        bootprefix=keyfile.get_boolean("sysroot", "bootprefix", default=False),
        tries=int(tries),
        extra_keys=parse_extra_keys(extra),
    )
