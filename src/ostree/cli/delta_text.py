"""How a static delta is shown to people (static deltas §8.4)."""

from __future__ import annotations

from ostree.formats.delta import operation
from ostree.formats.size_text import format_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.formats.delta.superblock import PartHeader, Superblock
    from ostree.repo.static_delta.shares import DeltaShare
    from ostree.repo.static_delta.statistics import PartStatistics

_ENDIANNESS = {"l": "little", "B": "big", "": "invalid"}
#: The operations in the order in which they are counted, with their short names.
OPERATIONS = (
    ("openspliceclose", operation.OPEN_SPLICE_AND_CLOSE),
    ("open", operation.OPEN),
    ("write", operation.WRITE),
    ("setread", operation.SET_READ_SOURCE),
    ("unsetread", operation.UNSET_READ_SOURCE),
    ("close", operation.CLOSE),
    ("bspatch", operation.BSPATCH),
)


def endianness_text(superblock: Superblock) -> str:
    """The byte order of a delta in words."""
    text = _ENDIANNESS[superblock.endianness]
    return f"{text} (heuristic)" if superblock.guessed and superblock.endianness else text


def delta_text(shown: str, superblock: Superblock, *, is_signed: bool) -> str:
    """What precedes the parts.

    Args:
        shown: What the user called the delta.
        superblock: The delta.
        is_signed: Whether its superblock has a wrapper.
    """
    name = superblock.name
    size, plain = superblock.fallback_size, superblock.fallback_plain_size
    lines = [
        f"Delta: {shown}",
        f"Signed: {'yes' if is_signed else 'no'}",
        f"From: {name.source}" if name.source is not None else "From <scratch>",
        f"To: {name.target}",
        f"Endianness: {endianness_text(superblock)}",
        f"Timestamp: {superblock.timestamp}",
        f"Number of parents: {superblock.prerequisites}",
        f"Number of fallback entries: {len(superblock.fallbacks)}",
        *(f"  {fallback.checksum}" for fallback in superblock.fallbacks),
        f"Total Fallback Size: {_sized(size)}",
        f"Total Fallback Uncompressed Size: {_sized(plain)}",
        f"Number of parts: {len(superblock.parts)}",
    ]
    return _joined(lines)


def part_lines(index: int, header: PartHeader, part: PartStatistics) -> str:
    """What there is to say of one part."""
    counts = " ".join(f"{name}={part.counts[code]}" for name, code in OPERATIONS)
    meta = f"nobjects={header.count} size={header.size} usize={header.plain_size}"
    payload = f"nmodes={part.modes} nxattrs={part.xattrs}"
    payload += f" blobsize={part.data_size} opsize={part.operations_size}"
    return _joined(
        [
            f"PartMeta{index}: {meta}",
            f"PartPayload{index}: {payload}",
            f"PartPayloadOps{index}: {counts}",
        ]
    )


def total_lines(superblock: Superblock) -> str:
    """What follows the parts."""
    size, plain = superblock.part_size, superblock.part_plain_size
    return _joined(
        [
            f"Total Part Size: {_sized(size)}",
            f"Total Part Uncompressed Size: {_sized(plain)}",
            f"Total Size: {_sized(size + superblock.fallback_size)}",
            f"Total Uncompressed Size: {_sized(plain + superblock.fallback_plain_size)}",
        ]
    )


def _sized(size: int) -> str:
    return f"{size} ({format_size(size)})"


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def share_table(shares: Iterable[DeltaShare]) -> str:
    """What each delta costs, and which share that is of the full download.

    Checksums are cut to what tells them apart to the eye.
    """
    rows = [("DELTA", "SIZE", "FULL", "SHARE")]
    for share in shares:
        source = share.name.source
        name = f"{source[:10] if source is not None else 'empty'}-{share.name.target[:10]}"
        percent = share.percent
        rows.append(
            (
                name,
                format_size(share.size),
                format_size(share.full_size) if share.full_size is not None else "?",
                f"{percent:.1f}%" if percent is not None else "?",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return _joined(
        [
            "  ".join((row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 4))))
            for row in rows
        ]
    )
