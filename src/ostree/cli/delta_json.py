"""Static deltas in JSON documents (docs/json.md)."""

from __future__ import annotations

from ostree.cli.delta_text import OPERATIONS
from ostree.formats.date_text import signed_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ostree.cli.json_output import Json
    from ostree.formats.delta.superblock import Superblock
    from ostree.repo.static_delta.shares import DeltaShare
    from ostree.repo.static_delta.statistics import PartStatistics

_ENDIANNESS = {"l": "little", "B": "big", "": "unknown"}


def deltas_json(shares: Iterable[DeltaShare]) -> dict[str, Json]:
    """All deltas with what they cost."""
    return {"deltas": [_share_json(share) for share in shares]}


def _share_json(share: DeltaShare) -> dict[str, Json]:
    return {
        "name": str(share.name),
        "from": share.name.source,
        "to": share.name.target,
        "size": share.size,
        "plain_size": share.plain_size,
        "full_size": share.full_size,
    }


def delta_json(
    superblock: Superblock, parts: Sequence[PartStatistics], share: DeltaShare, *, is_signed: bool
) -> dict[str, Json]:
    """A delta with its parts."""
    return {
        **_share_json(share),
        "signed": is_signed,
        "endianness": _ENDIANNESS[superblock.endianness],
        "endianness_guessed": superblock.guessed,
        "timestamp": signed_timestamp(superblock.timestamp),
        "fallbacks": [
            {
                "checksum": fallback.checksum,
                "size": fallback.size,
                "plain_size": fallback.plain_size,
            }
            for fallback in superblock.fallbacks
        ],
        "parts": [
            _part_json(superblock, index, statistics) for index, statistics in enumerate(parts)
        ],
    }


def _part_json(superblock: Superblock, index: int, statistics: PartStatistics) -> dict[str, Json]:
    header = superblock.parts[index]
    return {
        "checksum": header.digest.hex(),
        "inline": superblock.inline_part(index) is not None,
        "objects": header.count,
        "size": header.size,
        "plain_size": header.plain_size,
        "modes": statistics.modes,
        "xattrs": statistics.xattrs,
        "data_size": statistics.data_size,
        "operations_size": statistics.operations_size,
        "operations": {name: statistics.counts[code] for name, code in OPERATIONS},
    }
