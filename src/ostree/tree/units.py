"""What a system with systemd and the ``ostree`` command has besides (boot §7)."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.tree.draft import Draft

_SYSTEMD = "usr/lib/systemd/systemd"
#: With this in a tree, whoever put it there has taken care of the rest.
_GENERATOR = "usr/lib/systemd/system-generators/ostree-system-generator"


class ShippedFile(NamedTuple):
    """A file for a tree.

    Attributes:
        path: Where it belongs, without a slash in front.
        data: Its content.
        mode: Its permissions.
    """

    path: str
    data: bytes
    mode: int


def add_units(draft: Draft, files: Sequence[ShippedFile], program: str) -> None:
    """Add units and generator, unless the distribution has its own.

    The generator enables what a booted deployment needs.  Whether a system that is not well
    restarts (``ostree-health-check.service``) its maker decides.

    Args:
        draft: The tree.
        files: All of them.
        program: The command that they call; without it they are of no use.
    """
    if not files or draft.resolve(_SYSTEMD) is None or draft.node(_GENERATOR) is not None:
        return
    if draft.resolve(program) is None:
        draft.note(f"The tree has no {program}: it cannot update itself, and gets no units for it.")
        return
    # The generator comes last: as long as it is missing, an interrupted run is not complete.
    for file in sorted(files, key=lambda file: (file.path == _GENERATOR, file.path)):
        if draft.node(file.path) is None:
            draft.write(file.path, file.data, file.mode)
