"""The shell scripts of this directory; they run where there is no Python."""

from __future__ import annotations

import os

#: What the ramdisk holds: ``init``, and what it sources.
RAMDISK_SCRIPTS = ("init", "prepare-root.sh", "root-device.sh", "switch-root.sh")


def read_script(name: str) -> bytes:
    """The content of a script."""
    with open(os.path.join(os.path.dirname(__file__), name), "rb") as file:
        return file.read()
