"""The kernels of bsdiff, which the bsdiff4 library has in C; the only place that knows it."""

from __future__ import annotations

from ostree.errors import OSTreeError
from ostree.formats.delta import bspatch


class BsdiffMissingError(OSTreeError):
    """The library is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Static deltas with bsdiff need the Python library bsdiff4, which is not installed"
        )


def is_available() -> bool:
    """Whether the library is installed."""
    try:
        import bsdiff4.core  # noqa: F401 - only whether it is there
    except ImportError:
        return False
    return True


def diff(old: bytes, new: bytes) -> bytes:
    """The stream that makes ``new`` from ``old``; the interpreter's lock is free meanwhile.

    Raises:
        BsdiffMissingError: if the library is not installed.
    """
    try:
        from bsdiff4 import core
    except ImportError as error:
        raise BsdiffMissingError from error
    control, difference, extra = core.diff(old, new)
    return bspatch.join(control, difference, extra)


def add(old: bytes, control: bytes, difference: bytes, extra: bytes, size: int) -> bytes:
    """New bytes from a piece of an old file and a piece of a patch.

    Args:
        old: A piece of the old file; what is outside of it counts as zeros.
        control: Triples of numbers, as in the stream; the first place is the start of ``old``.
        difference: What they add.
        extra: What they insert.
        size: Bytes that they make together.

    Raises:
        BsdiffMissingError: if the library is not installed.
    """
    try:
        from bsdiff4 import core
    except ImportError as error:
        raise BsdiffMissingError from error
    made: bytes = core.patch(old, size, control, difference, extra)
    return made
