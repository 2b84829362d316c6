"""``ostree static-delta``: small updates, made, kept and applied."""

from __future__ import annotations

from ostree.cli.command import Entry, PlainGroup

GROUP = PlainGroup(
    "static-delta",
    "ostree.cli.commands.static_delta",
    (
        Entry("list", "List static delta files"),
        Entry("show", "Dump information on a delta"),
        Entry("delete", "Remove a delta"),
        Entry("generate", "Generate static delta files"),
        Entry("apply-offline", "Apply static delta file"),
        Entry("verify", "Verify static delta signatures"),
        Entry("indexes", "List static delta indexes"),
        Entry("reindex", "Regenerate static delta indexes"),
    ),
    summary="Static delta related commands",
    entry_width=17,
)
