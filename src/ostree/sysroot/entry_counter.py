"""The count of tries in the names of boot entries, which systemd-boot keeps, and a system that is up.

Renaming an entry's file, so that no counters are in its name, is what ``systemd-bless-boot`` does.
"""

from __future__ import annotations

import os

from ostree.errors import FormatError
from ostree.formats.boot_entry import BootEntry, is_entry_name, parse_counters
from ostree.formats.mirrored_entry import is_mirrored_name
from ostree.sysroot.boot_config import boot_link_of
from ostree.sysroot.layout import MAX_TEXT
from ostree.sysroot.step import step
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ENTRIES = "loader/entries"


def is_exhausted(directory: str, link: str) -> bool:
    """Whether a deployment has no tries left by the name of its entry.

    Args:
        directory: With ``loader/entries``: a partition's, or ``/boot``.
        link: The deployment's ``ostree=``.

    Raises:
        SysrootError: an entry cannot be read.
    """
    with step(f"Reading boot entries in {directory}"):
        counters = [parse_counters(name) for name in _names(directory, link)]
    return any(left == 0 and done > 0 for left, done in counters)


def accept(directory: str, link: str) -> bool:
    """Take the counters off the name of a deployment's entry; whether there are any to be taken.

    Args:
        directory: With ``loader/entries``: a partition's, or ``/boot``.
        link: The deployment's ``ostree=``.

    Returns:
        Whether tries are counted there: true as well where the name has lost its counters before.

    Raises:
        SysrootError: an entry cannot be read or renamed.
    """
    is_counted = False
    with step(f"Setting back the count of boots in {directory}"):
        for name in list(_names(directory, link)):
            stem, plus, _ = name.removesuffix(".conf").rpartition("+")
            if plus:
                _rename(os.path.join(directory, _ENTRIES), name, f"{stem}.conf")
            is_counted = is_counted or bool(plus) or is_mirrored_name(name)
    return is_counted


def _rename(directory: str, old: str, new: str) -> None:
    fd = files.open_directory(directory)
    try:
        os.rename(old, new, src_dir_fd=fd, dst_dir_fd=fd)
        os.fsync(fd)
    finally:
        os.close(fd)


def _names(directory: str, link: str) -> Iterator[str]:
    """The files of entries that start a deployment."""
    place = os.path.join(directory, _ENTRIES)
    if not os.path.isdir(place):
        return
    for name in sorted(os.listdir(place)):
        if is_entry_name(name) and _link(os.path.join(place, name)) == link:
            yield name


def _link(path: str) -> str | None:
    """The ``ostree=`` of an entry; None if it has none, as what somebody else has put there."""
    text = files.read_file(path, limit=MAX_TEXT).decode("utf-8", "replace")
    try:
        return boot_link_of(BootEntry.parse(text))
    except FormatError:
        return None
