"""Whether disk images can be made here, for tests that need some."""

from __future__ import annotations

import os
import shutil

_TOOLS = {
    "mkfs.ext4": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "sfdisk": "fdisk",
}


def why_no_images() -> str:
    """What is missing, with its Debian packages; empty if nothing is."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [f"{tool} ({package})" for tool, package in _TOOLS.items() if not shutil.which(tool)]
    return f"not installed: {', '.join(missing)}" if missing else ""
