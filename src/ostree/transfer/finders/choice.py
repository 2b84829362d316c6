"""The finders by name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.transfer.finders.finder import Finder


def make_finder(name: str) -> Finder | None:
    """The finder of a name, None if there is none."""
    if name == "config":
        from ostree.transfer.finders.config import ConfigFinder

        return ConfigFinder()
    if name == "mount":
        from ostree.transfer.finders.mount import MountFinder

        return MountFinder()
    if name == "lan":
        from ostree.transfer.finders.lan import LanFinder

        return LanFinder()
    return None
