"""A place in the list of deployments, as a word on the command line."""

from __future__ import annotations

from ostree.errors import SysrootError

_MAX = (1 << 63) - 1


def parse_index(text: str) -> int:
    """A place in the list of deployments.

    Raises:
        SysrootError: ``Invalid index: X``, or ``Index too large: X``.
    """
    if not (text.isascii() and text.isdigit()):
        raise SysrootError(f"Invalid index: {text}")
    if len(text) > len(str(_MAX)) or int(text) > _MAX:
        raise SysrootError(f"Index too large: {text}")
    return int(text)
