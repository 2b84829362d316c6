"""Sizes as upstream prints them: decimal units, one digit after the point."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


def format_size(size: int) -> str:
    """A number of bytes for people: ``1 byte``, ``999 bytes``, ``4.1 kB``.

    Between number and unit stands U+00A0 (NO-BREAK SPACE), an ordinary space before ``bytes``.
    A size that rounds up to the next unit keeps its own (``1000.0 kB``), as in GLib.
    """
    if size < 1000:
        return f"{size} byte" if size == 1 else f"{size} bytes"
    factor = 1000
    for unit in _UNITS[:-1]:
        if size < factor * 1000:
            return f"{size / factor:.1f}\u00a0{unit}"
        factor *= 1000
    return f"{size / factor:.1f}\u00a0{_UNITS[-1]}"
