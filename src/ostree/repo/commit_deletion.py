"""Deletion of single commits, and what is left in their place (repository format §2.5, §8.2)."""

from __future__ import annotations

import os
from contextlib import suppress

from ostree.formats.commitmeta import encode_tombstone
from ostree.system import files
from ostree.types import Checksum, ObjectName, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo


def delete_commit(repo: Repo, checksum: Checksum) -> int:
    """Remove a commit with its detached metadata and the mark of a partial one.

    Where the configuration asks for it a tombstone takes its place.

    Returns:
        The bytes of the commit object.

    Raises:
        ObjectNotFoundError: if it is not there; a tombstone is not written then.
    """
    name = ObjectName(checksum, ObjectType.COMMIT)
    if repo.config.tombstones and repo.store.has(checksum, ObjectType.COMMIT):
        write_tombstone(repo, checksum)
    # What is of no use without the commit goes first: after it nobody would find it.
    if repo.store.has(checksum, ObjectType.COMMITMETA):
        repo.store.delete(ObjectName(checksum, ObjectType.COMMITMETA))
    freed = repo.store.delete(name)
    unmark_partial(repo, checksum)
    return freed


def write_tombstone(repo: Repo, checksum: Checksum) -> bool:
    """Note that a commit was deleted; whether that is news."""
    data = encode_tombstone(checksum)
    return repo.store.put_metadata(checksum, ObjectType.TOMBSTONE_COMMIT, data)


def enable_tombstones(repo: Repo) -> None:
    """Have deleted commits leave tombstones from now on (``core.tombstone-commits``).

    Raises:
        RepoError: if the configuration cannot be written.
    """
    if not repo.config.tombstones:
        keyfile = repo.config.keyfile.copy()
        keyfile.set_string("core", "tombstone-commits", "true")
        repo.save_config(keyfile)


def mark_partial(repo: Repo, checksum: str) -> None:
    """Note that fsck found objects of a commit to be missing or damaged."""
    files.make_directory("state", repo.dir_fd, 0o775)
    files.replace_file(f"state/{checksum}.commitpartial", b"f", repo.dir_fd)


def unmark_partial(repo: Repo, checksum: str) -> None:
    """Take away the mark of a partial commit, if there is one."""
    with suppress(FileNotFoundError):
        os.unlink(f"state/{checksum}.commitpartial", dir_fd=repo.dir_fd)
