"""What a delta costs, compared with fetching all objects of its target."""

from __future__ import annotations

from ostree.errors import ObjectNotFoundError
from ostree.repo.static_delta import storage
from ostree.repo.static_delta.plan import read_tree
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostree.formats.delta.name import DeltaName
    from ostree.formats.delta.superblock import Superblock
    from ostree.repo.repository import Repo
    from ostree.types import Checksum


class DeltaShare:
    """What a client transfers with a delta, and without it.

    Attributes:
        name: The delta.
        size: Bytes of superblock, parts and fallbacks.
        plain_size: Bytes of the objects that it brings.
        full_size: Bytes of all objects of its target as they are stored; None if not all are here.
    """

    __slots__ = ("full_size", "name", "plain_size", "size")

    def __init__(self, name: DeltaName, size: int, plain_size: int, full_size: int | None) -> None:
        self.name = name
        self.size = size
        self.plain_size = plain_size
        self.full_size = full_size

    @property
    def percent(self) -> float | None:
        """The delta as a percentage of the full download."""
        return 100 * self.size / self.full_size if self.full_size else None


def shares(repo: Repo, names: Iterable[DeltaName]) -> Iterator[DeltaShare]:
    """What each delta costs.

    Raises:
        NotFoundError: if there is no such delta.
        FormatError: if it is damaged.
    """
    full: dict[Checksum, int | None] = {}
    for name in names:
        if name.target not in full:
            full[name.target] = full_size(repo, name.target)
        file_size = len(storage.read_superblock_file(repo, name))
        superblock = storage.load_superblock(repo, name)
        yield _share(superblock, file_size, full[name.target])


def share_of(repo: Repo, superblock: Superblock, file_size: int) -> DeltaShare:
    """What one delta costs, whose superblock has a file of so many bytes."""
    return _share(superblock, file_size, full_size(repo, superblock.name.target))


def _share(superblock: Superblock, file_size: int, full: int | None) -> DeltaShare:
    plain = superblock.part_plain_size + superblock.fallback_plain_size
    return DeltaShare(superblock.name, delta_size(superblock, file_size), plain, full)


def delta_size(superblock: Superblock, file_size: int) -> int:
    """Bytes that a delta makes a client transfer, its superblock having so many."""
    inline = sum(
        part.size
        for index, part in enumerate(superblock.parts)
        if superblock.inline_part(index) is not None
    )
    return file_size - inline + superblock.part_size + superblock.fallback_size


def full_size(repo: Repo, commit: Checksum) -> int | None:
    """Bytes of all objects of a commit as they are stored here; None if some are missing."""
    try:
        contents = read_tree(repo, commit)
        total = repo.stored_size(commit, ObjectType.COMMIT)
        total += sum(repo.stored_size(checksum, type) for type, checksum in contents.metadata)
        return total + sum(repo.stored_size(file, ObjectType.FILE) for file in contents.files)
    except ObjectNotFoundError:
        return None
