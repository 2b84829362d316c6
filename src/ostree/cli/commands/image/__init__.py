"""``ostree image``: disks for devices."""

from __future__ import annotations

from ostree.cli.command import Entry, Group

GROUP = Group(
    "image",
    "ostree.cli.commands.image",
    (Entry("build", "Build a disk image with a deployed system"),),
    summary="Commands for disk images of devices",
)
