"""What a system with systemd and the ``ostree`` command has besides (boot §7)."""

from __future__ import annotations

import posixpath
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.tree.draft import Draft

_UNITS = "usr/lib/systemd/system"
_ENABLING = {"WantedBy": "wants", "RequiredBy": "requires"}
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
    """Add units and generator and enable them, unless the distribution has its own.

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
        for link in enabling_links(file):
            if draft.node(link) is None and draft.make_directory(posixpath.dirname(link)):
                draft.link(link, f"../{posixpath.basename(file.path)}")


def enabling_links(file: ShippedFile) -> list[str]:
    """The links that ``systemctl enable`` would make for a unit, in the tree's own directories."""
    directory, name = posixpath.split(file.path)
    if directory != _UNITS or "@" in name:
        return []
    section, links = "", []
    for line in file.data.decode("utf-8", "replace").splitlines():
        if line.startswith("["):
            section = line.strip()
        key, _, targets = line.partition("=")
        if section == "[Install]" and key.strip() in _ENABLING:
            kind = _ENABLING[key.strip()]
            links += [f"{_UNITS}/{target}.{kind}/{name}" for target in targets.split()]
    return links
