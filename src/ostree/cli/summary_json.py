"""Summaries and refs in JSON documents (docs/json.md)."""

from __future__ import annotations

from ostree.cli.variant_json import variant_json, variants_json
from ostree.errors import NotFoundError
from ostree.formats import summary as summary_format
from ostree.formats.date_text import signed_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostree.cli.json_output import Json
    from ostree.cli.options import Arguments
    from ostree.formats.gvariant import Variant
    from ostree.formats.summary import Summary, SummaryRef
    from ostree.sign.interface import Verdict

#: What has fields of its own, if it is of its type.
_KNOWN = {
    (summary_format.COMMIT_TIMESTAMP, "t"),
    (summary_format.COMMIT_VERSION, "s"),
    (summary_format.LAST_MODIFIED, "t"),
    (summary_format.EXPIRES, "t"),
    (summary_format.MODE, "s"),
    (summary_format.TOMBSTONE_COMMITS, "b"),
    (summary_format.INDEXED_DELTAS, "b"),
    (summary_format.COLLECTION_ID, "s"),
    (summary_format.COLLECTION_MAP, "a{sa(s(taya{sv}))}"),
    (summary_format.STATIC_DELTAS, "a{sv}"),
}


def summary_document(
    summary: Summary, args: Arguments, verdict: Callable[[], Verdict | None]
) -> dict[str, Json]:
    """A summary, or what the options of a command that shows one ask for.

    Args:
        summary: The summary.
        args: The options.
        verdict: Looks at its signatures, if it has any.

    Raises:
        NotFoundError: ``No such metadata key 'KEY'``.
    """
    key = args.text("print-metadata-key")
    if args.flag("list-metadata-keys"):
        return {"keys": sorted({name for name, _ in summary.metadata})}
    if key is None:
        from ostree.cli.signature_json import signatures_json

        return {**summary_json(summary), "signatures": signatures_json(verdict())}
    for name, variant in summary.metadata:
        if name == key:
            return {"key": key, **variant_json(variant)}
    raise NotFoundError(f"No such metadata key '{key}'")


def summary_json(summary: Summary) -> dict[str, Json]:
    """What a summary says; the refs of all collections are in one list."""
    refs = [_summary_ref_json(summary.collection_id, ref) for ref in summary.refs]
    for collection, others in summary.collection_map.items():
        refs += [_summary_ref_json(collection, ref) for ref in others]
    deltas = summary.static_deltas
    return {
        "refs": refs,
        "last_modified": _signed(summary.last_modified),
        "expires": _signed(summary.expires),
        "mode": summary.mode,
        "collection": summary.collection_id,
        "tombstone_commits": summary.tombstone_commits,
        "indexed_deltas": summary.indexed_deltas,
        "static_deltas": None
        if deltas is None
        else [{"name": name, "checksum": digest.hex()} for name, digest in deltas.items()],
        "metadata": variants_json(_others(summary.metadata)),
    }


def _summary_ref_json(collection: str | None, ref: SummaryRef) -> dict[str, Json]:
    return {
        "collection": collection,
        "name": ref.name,
        "checksum": ref.checksum,
        "size": ref.size,
        "timestamp": _signed(ref.timestamp),
        "version": ref.version,
        "metadata": variants_json(_others(ref.metadata)),
    }


def _others(pairs: Iterable[tuple[str, Variant]]) -> Iterator[tuple[str, Variant]]:
    return ((key, variant) for key, variant in pairs if (key, variant.type) not in _KNOWN)


def _signed(timestamp: int | None) -> int | None:
    return None if timestamp is None else signed_timestamp(timestamp)
