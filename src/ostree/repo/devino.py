"""Recognising files that are hard links to objects (repository format §6.3)."""

from __future__ import annotations

import os
from enum import Enum

from ostree.errors import FormatError
from ostree.system import files
from ostree.types import Checksum, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo

#: Digests of objects by device and inode.
KnownInodes = dict[tuple[int, int], bytes]


class Links(Enum):
    """What a commit does about files that are hard links to objects.

    READ: it reads them as any other file.
    COMPARE: it takes the object, unless the modifier changes something about it.
    TRUST: it takes the object, and the modifier is not asked.
    """

    READ = "read"
    COMPARE = "compare"
    TRUST = "trust"


_CACHE = "uncompressed-objects-cache"


def known_inodes(repo: Repo) -> KnownInodes:
    """Every content object that a checkout can have linked, those of parents included."""
    known: KnownInodes = {}
    here: Repo | None = repo
    while here is not None:
        directory = _CACHE if here.mode is RepoMode.ARCHIVE else "objects"
        _scan(here.dir_fd, directory, known)
        here = here.parent
    return known


def _scan(dir_fd: int, directory: str, known: KnownInodes) -> None:
    for prefix in files.list_directory(directory, dir_fd):
        if len(prefix) != 2:
            continue
        fd = files.open_subdirectory(dir_fd, f"{directory}/{prefix}")
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    if not entry.name.endswith(".file"):
                        continue
                    try:
                        checksum = Checksum(prefix + entry.name[:-5])
                        info = entry.stat(follow_symlinks=False)
                    except (FormatError, FileNotFoundError):
                        continue  # no object, or one that has just been deleted
                    known[(info.st_dev, info.st_ino)] = checksum.digest
        finally:
            os.close(fd)
