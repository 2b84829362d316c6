"""Opening the two sides of a comparison: revisions and local directories (repository format §7.9)."""

from __future__ import annotations

import os
from contextlib import ExitStack

from ostree.repo.diff import compare
from ostree.repo.diff_committed import CommittedDirectory
from ostree.repo.disk_checksum import DiskChecksums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.repo.diff import Change, TreeEntry
    from ostree.repo.repository import Repo
    from ostree.types import Checksum

    Side = str | os.PathLike[str]


class CommonObjects:
    """What two commits have in common.

    Attributes:
        old_objects: How many objects the old commit needs, itself included.
        new_objects: The same for the new one.
        common_objects: How many of them are the same.
        common_size: The bytes that these take in the repository.
    """

    __slots__ = ("common_objects", "common_size", "new_objects", "old_objects")

    def __init__(
        self, old_objects: int, new_objects: int, common_objects: int, common_size: int
    ) -> None:
        self.old_objects = old_objects
        self.new_objects = new_objects
        self.common_objects = common_objects
        self.common_size = common_size


def diff(
    repo: Repo,
    old: Side,
    new: Side,
    *,
    everything: bool = False,
    with_xattrs: bool = True,
    owner_uid: int | None = None,
    owner_gid: int | None = None,
) -> Iterator[Change]:
    """The differences between two trees; see :meth:`ostree.repo.repository.Repo.diff`."""
    with ExitStack() as stack:

        def open_side(side: Side, checksums: DiskChecksums) -> TreeEntry:
            if isinstance(side, str):
                return CommittedDirectory(repo, repo.load_commit(repo.resolve(side)).root)
            from ostree.repo.diff_local import LocalTree
            from ostree.system.files import path_text

            path = os.path.abspath(path_text(side))
            return stack.enter_context(LocalTree(path, checksums)).root()

        first = open_side(old, DiskChecksums(with_xattrs=with_xattrs))
        # As upstream has it, owners are overridden on the second side only.
        overriding = DiskChecksums(
            with_xattrs=with_xattrs, owner_uid=owner_uid, owner_gid=owner_gid
        )
        second = open_side(new, overriding)
        yield from compare(first, second, everything=everything)


def common_objects(repo: Repo, old: Checksum, new: Checksum) -> CommonObjects:
    """Count the objects that two commits need.

    Raises:
        ObjectNotFoundError: if one of them is missing.
    """
    from ostree.repo.reachability import find_reachable

    found = []
    for commit in (old, new):
        repo.load_commit(commit)
        found.append(set(find_reachable(repo, [(commit, 0)]).names()))
    common = found[0] & found[1]
    size = sum(repo.stored_size(name.checksum, name.type) for name in common)
    return CommonObjects(len(found[0]), len(found[1]), len(common), size)
