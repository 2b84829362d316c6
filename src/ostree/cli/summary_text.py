"""A summary as text (remotes and pull §6.4)."""

from __future__ import annotations

from ostree.errors import FormatError, NotFoundError
from ostree.formats import gvariant
from ostree.formats import summary as summary_format
from ostree.formats.date_text import format_local
from ostree.formats.gvariant.text import print_text
from ostree.system.machine_zone import MachineZone
from ostree.types import RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.formats.gvariant import Variant
    from ostree.formats.summary import Summary, SummaryRef

_TITLES = {
    summary_format.STATIC_DELTAS: "Static Deltas",
    summary_format.LAST_MODIFIED: "Last-Modified",
    summary_format.EXPIRES: "Expires",
    summary_format.COLLECTION_ID: "Collection ID",
    summary_format.COLLECTION_MAP: "Collection Map",
    summary_format.MODE: "Repository Mode",
    summary_format.TOMBSTONE_COMMITS: "Has Tombstone Commits",
    summary_format.COMMIT_VERSION: "Version",
    summary_format.COMMIT_TIMESTAMP: "Timestamp",
}
_TIMES = {
    summary_format.LAST_MODIFIED,
    summary_format.EXPIRES,
    summary_format.COMMIT_TIMESTAMP,
}


def summary_text(summary: Summary) -> str:
    """What a summary says: every ref, then everything else, in stored order."""
    lines: list[str] = []
    for ref in summary.refs:
        lines += _ref_lines(summary.collection_id, ref)
    for collection, refs in summary.collection_map.items():
        for ref in refs:
            lines += _ref_lines(collection, ref)
    lines += [_metadata_line(key, value) for key, value in summary.metadata]
    return "".join(f"{line}\n" for line in lines)


def metadata_keys(summary: Summary) -> str:
    """The keys of what else a summary says, sorted, one in a line."""
    return "".join(f"{key}\n" for key in sorted({key for key, _ in summary.metadata}))


def metadata_value(summary: Summary, key: str) -> str:
    """The value of a key in text form, byte-swapped as upstream has it.

    Raises:
        NotFoundError: if there is no such key.
    """
    for name, variant in summary.metadata:
        if name == key:
            return print_text(variant.type, gvariant.byteswap(variant.type, variant.value))
    raise NotFoundError(f"No such metadata key '{key}'")


def _ref_lines(collection: str | None, ref: SummaryRef) -> Iterator[str]:
    yield f"* {ref.name}" if collection is None else f"* ({collection}, {ref.name})"
    yield f"    Latest Commit ({_size(ref.size)}):"
    yield f"      {ref.checksum}"
    for key, value in ref.metadata:
        yield f"    {_metadata_line(key, value)}"
    yield ""


def _size(size: int) -> str:
    from ostree.formats.size_text import format_size

    return format_size(size)


def _metadata_line(key: str, value: Variant) -> str:
    title = _TITLES.get(key)
    name = key if title is None else f"{title} ({key})"
    return f"{name}: {_value(key, value)}"


def _value(key: str, value: Variant) -> str:
    """A value for people; one that is not of its key's type in text form."""
    if key in _TIMES and value.type == "t":
        return format_local(int.from_bytes(value.value.to_bytes(8, "little"), "big"), MachineZone())
    if key == summary_format.COLLECTION_MAP:
        return "(printed above)"
    if key == summary_format.TOMBSTONE_COMMITS and value.type == "b":
        return "Yes" if value.value else "No"
    if key == summary_format.MODE and value.type == "s":
        return _mode(value.value)
    if key in _TITLES and value.type == "s":
        text: str = value.value
        return text
    return print_text(value.type, value.value, annotate=False)


def _mode(text: str) -> str:
    try:
        RepoMode.parse(text)
    except FormatError:
        return f"Invalid (‘{text}’)"
    return text
