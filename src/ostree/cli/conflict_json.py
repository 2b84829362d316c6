"""A conflict of two changes in ``/etc`` as it appears in JSON documents (docs/json.md)."""

from __future__ import annotations

from ostree.cli.json_output import text_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.json_output import Json
    from ostree.sysroot.etc_conflicts import EtcConflict


def conflict_json(conflict: EtcConflict) -> dict[str, Json]:
    """Its fields."""
    return {
        "local": conflict.local,
        "vendor": conflict.vendor,
        **text_fields("path", conflict.path),
    }
