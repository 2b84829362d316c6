"""``ostree admin os-init``: the older name of ``stateroot-init``."""

from __future__ import annotations

from ostree.cli.commands.admin.stateroot_init import OPTIONS, USAGE, run

__all__ = ["OPTIONS", "USAGE", "run"]
