"""``ostree tree``: root file systems before they are committed."""

from __future__ import annotations

from ostree.cli.command import Entry, Group

GROUP = Group(
    "tree",
    "ostree.cli.commands.tree",
    (Entry("prepare", "Arrange a root file system for deployments"),),
    summary="Commands for root file systems that are to be committed",
)
