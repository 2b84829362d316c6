"""What a pull would move, as text and as JSON (``pull --dry-run``)."""

from __future__ import annotations

from ostree.formats.size_text import format_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.json_output import Json
    from ostree.transfer.options import PullResult
    from ostree.transfer.survey import PullEstimate


def estimate_text(result: PullResult, estimate: PullEstimate) -> str:
    """One line: upstream's where deltas are required (remotes and pull §7), ours for other pulls."""
    deltas = estimate.deltas
    if deltas is not None and not estimate.walked:
        return (
            f"Delta update: 0/{deltas.parts} parts, {format_size(0)}/"
            f"{format_size(deltas.size)}, {format_size(deltas.plain_size)} total uncompressed"
        )
    pieces = [
        f"{estimate.metadata} metadata ({format_size(estimate.metadata_size)})",
        f"{estimate.content} content objects{_content_size(estimate)}",
    ]
    if deltas is not None:
        pieces.append(f"{deltas.parts} delta parts ({format_size(deltas.size)})")
    line = f"Dry run: {', '.join(pieces)} to {'import' if result.local else 'fetch'}"
    if estimate.cached_metadata or estimate.cached_content:
        line += f"; {estimate.cached_metadata} meta, {estimate.cached_content} content local"
    return line


def _content_size(estimate: PullEstimate) -> str:
    if not estimate.content:
        return ""
    if estimate.content_unknown == estimate.content:
        return " (size unknown)"
    size = format_size(estimate.content_size)
    return f" (at least {size})" if estimate.content_unknown else f" ({size})"


def estimate_document(result: PullResult, estimate: PullEstimate) -> dict[str, Json]:
    """The same for programs."""
    deltas = estimate.deltas
    return {
        "local": result.local,
        "metadata": {"objects": estimate.metadata, "bytes": estimate.metadata_size},
        "content": {
            "objects": estimate.content,
            "bytes": estimate.content_size,
            "unpacked_bytes": estimate.content_plain_size,
            "objects_of_unknown_size": estimate.content_unknown,
        },
        "cached": {"metadata": estimate.cached_metadata, "content": estimate.cached_content},
        "deltas": {
            "parts": deltas.parts if deltas is not None else 0,
            "bytes": deltas.size if deltas is not None else 0,
            "unpacked_bytes": deltas.plain_size if deltas is not None else 0,
        },
        "commits": [
            {"ref": ref, "checksum": checksum} for ref, checksum in sorted(result.commits.items())
        ],
    }
