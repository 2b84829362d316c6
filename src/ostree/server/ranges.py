"""Byte ranges of HTTP (RFC 9110, section 14): the header as half-open intervals."""

from __future__ import annotations

#: More parts than this are no honest request; the whole file is sent instead, as the RFC allows.
MAX_RANGES = 32


def parse_range(header: str, size: int) -> list[tuple[int, int]] | None:
    """The parts of a file of ``size`` bytes that a ``Range`` header asks for, as (start, end).

    Returns:
        In the order of the header, without parts that lie beyond the end; an empty list if no part
        is left (status 416); ``None`` if the header is to be ignored, because it is malformed, in
        another unit than bytes, or asks for too many parts or for more than the file has.
    """
    unit, separator, text = header.partition("=")
    if not separator or unit.strip().lower() != "bytes":
        return None
    parts = []
    # A list may have empty elements (RFC 9110, section 5.6.1).
    specs = [spec for spec in (item.strip(" \t") for item in text.split(",")) if spec]
    if not specs or len(specs) > MAX_RANGES:
        return None
    for spec in specs:
        first, dash, last = spec.partition("-")
        if not dash or not (_is_number(first) or not first) or not (_is_number(last) or not last):
            return None
        if first:
            start, end = int(first), min(int(last) + 1, size) if last else size
            if last and int(last) < start:
                return None
        elif last:
            start, end = max(0, size - int(last)), size
        else:
            return None
        if start < end:
            parts.append((start, end))
    if sum(end - start for start, end in parts) > size:
        return None
    return parts


def _is_number(text: str) -> bool:
    # Bounded, for converting very long digit strings is slow and refused by Python.
    return 0 < len(text) <= 19 and text.isascii() and text.isdigit()
