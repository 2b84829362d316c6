"""The path that the kernel argument ``ostree=`` names: ``/ostree/boot.V/OS/BOOTCSUM/N``."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.deployment_name import is_serial, parse_deployment_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.types import Checksum

_HEX = frozenset("0123456789abcdef")


class BootLink:
    """The parts of a bootlink's path; ``version`` is the bootversion, 0 or 1."""

    __slots__ = ("bootcsum", "serial", "stateroot", "version")

    def __init__(self, version: int, stateroot: str, bootcsum: str, serial: int) -> None:
        self.version = version
        self.stateroot = stateroot
        self.bootcsum = bootcsum
        self.serial = serial

    def __str__(self) -> str:
        return f"/ostree/boot.{self.version}/{self.stateroot}/{self.bootcsum}/{self.serial}"

    def __repr__(self) -> str:
        return f"BootLink({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BootLink):
            return NotImplemented
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def check_stateroot(name: str) -> None:
    """Make sure that ``name`` can be one component of a path and one word of a command line.

    Raises:
        FormatError: it cannot.
    """
    bad = "/" in name or "\0" in name or name in {".", ".."} or any(c.isspace() for c in name)
    if not name or bad or len(name.encode("utf-8", "surrogateescape")) > 255:
        raise FormatError(f"Invalid stateroot name '{name}'")


def parse_boot_link(argument: str) -> BootLink:
    """The parts of the value of ``ostree=``.

    Stricter than the pattern upstream uses where that would leave ``/ostree``: ``.`` and ``..``
    are no stateroots, and a boot checksum is hexadecimal.

    Raises:
        FormatError: with upstream's sentence, for anything else.
    """
    parts = argument.split("/")
    if len(parts) == 6 and parts[:2] == ["", "ostree"] and parts[2] in {"boot.0", "boot.1"}:
        stateroot, bootcsum, serial = parts[3:]
        safe = stateroot not in {"", ".", ".."} and bootcsum and _HEX.issuperset(bootcsum)
        if safe and is_serial(serial) and "\0" not in stateroot:
            return BootLink(int(parts[2][-1]), stateroot, bootcsum, int(serial))
    raise FormatError(
        f"Invalid ostree= argument '{argument}', "
        "expected ostree=/ostree/boot.BOOTVERSION/OSNAME/BOOTCSUM/TREESERIAL"
    )


def parse_bootlink_target(target: str, stateroot: str) -> tuple[Checksum, int]:
    """Commit and serial of the deployment that a bootlink points to.

    Raises:
        FormatError: the link leads to something else than a deployment of ``stateroot``.
    """
    *directory, name = target.split("/")
    if directory != ["..", "..", "..", "deploy", stateroot, "deploy"]:
        raise FormatError(f"Invalid bootlink target '{target}'")
    return parse_deployment_target(name)


def format_bootlink_target(stateroot: str, name: str) -> str:
    """What the symlink ``boot.V.S/OS/BOOTCSUM/N`` holds for the deployment directory ``name``."""
    return f"../../../deploy/{stateroot}/deploy/{name}"
