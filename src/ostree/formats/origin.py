"""What an origin file says: where a deployment comes from (deployments §2.4)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.keyfile import KeyFile

_GROUP = "origin"
_TRANSIENT_GROUP = "libostree-transient"


def new_origin(refspec: str) -> KeyFile:
    """The origin of a fresh deployment."""
    origin = KeyFile()
    origin.set_string(_GROUP, "refspec", refspec)
    return origin


def refspec_of(origin: KeyFile | None) -> str | None:
    """The refspec that ``upgrade`` follows; None also for an origin of another tool."""
    return None if origin is None else origin.find_string(_GROUP, "refspec")


def override_commit_of(origin: KeyFile) -> str | None:
    """The commit to stay on although the ref moves on."""
    return origin.find_string(_GROUP, "override-commit")


def unconfigured_state_of(origin: KeyFile) -> str | None:
    """Why this deployment cannot be upgraded, in words for the user."""
    return origin.find_string(_GROUP, "unconfigured-state")


def is_pinned(origin: KeyFile | None) -> bool:
    """Whether the deployment stays until it is unpinned."""
    if origin is None:
        return False
    try:
        return origin.get_boolean(_TRANSIENT_GROUP, "pinned", default=False)
    except FormatError:
        # A mark of nobody knows what must not make the whole list unreadable.
        return False


def set_pinned(origin: KeyFile, *, pinned: bool) -> None:
    """Make the deployment stay, or not; what unpinning leaves is an empty group, as upstream's."""
    if pinned:
        origin.set_string(_TRANSIENT_GROUP, "pinned", "true")
    elif origin.has_key(_TRANSIENT_GROUP, "pinned"):
        origin.remove_key(_TRANSIENT_GROUP, "pinned")


def is_hotfixed(origin: KeyFile | None) -> bool:
    """Whether a persistent overlay lies over ``/usr``."""
    return origin is not None and origin.find_string(_GROUP, "unlocked") == "hotfix"


def set_hotfixed(origin: KeyFile) -> None:
    """Note that a persistent overlay lies over ``/usr``."""
    origin.set_string(_GROUP, "unlocked", "hotfix")


def set_refspec(origin: KeyFile, refspec: str) -> None:
    """Make ``upgrade`` follow ``refspec``."""
    origin.set_string(_GROUP, "refspec", refspec)


def set_override_commit(origin: KeyFile, checksum: str) -> None:
    """Stay on ``checksum``."""
    origin.set_string(_GROUP, "override-commit", checksum)


def remove_transient_state(origin: KeyFile) -> None:
    """Drop what belongs to one deployment and not to its successor: pin, override, hotfix."""
    if origin.has_group(_TRANSIENT_GROUP):
        origin.remove_group(_TRANSIENT_GROUP)
    for key in ("override-commit", "unlocked"):
        if origin.has_key(_GROUP, key):
            origin.remove_key(_GROUP, key)
