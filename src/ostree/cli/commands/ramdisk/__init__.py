"""``ostree ramdisk``: what prepares a deployment's root file system before the system starts."""

from __future__ import annotations

from ostree.cli.command import Entry, Group

GROUP = Group(
    "ramdisk",
    "ostree.cli.commands.ramdisk",
    (
        Entry("build", "Build a ramdisk that starts a deployment"),
        Entry("install", "Prepare a tree to be started by its own ramdisk, or without one"),
    ),
    summary="Prepare the root file system of a deployment when it starts",
)
