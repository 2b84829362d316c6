"""Names of deployment directories: ``CHECKSUM.SERIAL`` (deployments §2.1)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_HEX = frozenset("0123456789abcdef")
#: More digits than any serial number has; keeps integers read from disk small.
_MAX_DIGITS = 18


def is_serial(text: str) -> bool:
    """Whether ``text`` is a decimal number of acceptable length."""
    return 0 < len(text) <= _MAX_DIGITS and text.isascii() and text.isdigit()


def parse_deployment_name(name: str) -> tuple[str, int]:
    r"""The checksum part and the serial of a directory below ``deploy/``.

    The checksum may have any length, as in upstream's check of such directories.

    Raises:
        FormatError: the name does not match ``^[0-9a-f]+\.[0-9]+$``.
    """
    checksum, dot, serial = name.partition(".")
    if not (dot and checksum and _HEX.issuperset(checksum) and is_serial(serial)):
        raise FormatError(f"Invalid deploy name '{name}', expected CHECKSUM.TREESERIAL")
    return checksum, int(serial)


def parse_deployment_target(name: str) -> tuple[Checksum, int]:
    """As :func:`parse_deployment_name`, for a name that has to denote a commit."""
    checksum, serial = parse_deployment_name(name)
    if len(checksum) != 64:
        raise FormatError(f"Invalid deploy name '{name}', expected CHECKSUM.TREESERIAL")
    return Checksum(checksum), serial


def format_deployment_name(checksum: str, serial: int) -> str:
    """The directory's name."""
    return f"{checksum}.{serial}"


def next_serial(names: Iterable[str], checksum: str) -> int:
    """One more than the highest serial present for ``checksum``, or 0.

    Raises:
        FormatError: one of the names is none of a deployment.
    """
    serials = [serial for csum, serial in map(parse_deployment_name, names) if csum == checksum]
    return max(serials, default=-1) + 1
