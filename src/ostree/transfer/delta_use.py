"""Whether a pull uses static deltas at all, and what they come to (static deltas §9)."""

from __future__ import annotations

import os

from ostree.errors import FormatError, OSTreeError, RepoError, SpaceError
from ostree.formats.size_text import format_size
from ostree.transfer.destination import ref_to_set
from ostree.types import ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ostree.formats.delta.superblock import Superblock
    from ostree.repo.repository import Repo
    from ostree.transfer.delta_finder import DeltaWish
    from ostree.transfer.options import PullOptions
    from ostree.transfer.wanted import Wanted
    from ostree.types import Checksum


class DeltaEstimate:
    """What deltas would transfer.

    Attributes:
        parts: Parts and fallbacks that are needed.
        size: Their bytes.
        plain_size: The bytes of the objects that they bring.
    """

    __slots__ = ("parts", "plain_size", "size")

    def __init__(self) -> None:
        self.parts = 0
        self.size = 0
        self.plain_size = 0


def check_options(repo: Repo, options: PullOptions) -> None:
    """Refuse what cannot be done with deltas, before anything is asked for.

    Raises:
        OSTreeError: naming the options.
    """
    if not options.require_static_deltas:
        return
    if options.disable_static_deltas:
        raise OSTreeError("Static deltas cannot be both disabled and required")
    if repo.mode is RepoMode.ARCHIVE:
        raise RepoError("Can't use static deltas in an archive repo")


def delta_wishes(
    repo: Repo, wanted: Iterable[Wanted], remote_name: str | None, options: PullOptions
) -> list[DeltaWish]:
    """The commits that deltas may lead to, and from where."""
    from ostree.transfer.delta_finder import DeltaWish

    wishes = []
    for item in wanted:
        tip = None
        if item.ref is not None:
            tip = repo.refs.get(ref_to_set(item.ref, remote_name, options))
        wishes.append(DeltaWish(item.commit, ref=item.ref, tip=tip))
    return wishes


def check_deltas(repo: Repo, deltas: Mapping[Checksum, Sequence[Superblock]]) -> None:
    """Refuse deltas that are not acceptable, or need more space than there is.

    Raises:
        FormatError: if one is of a version that is not known, or lies about its sizes.
        ChecksumError: if one brings another commit than it leads to.
        SpaceError: ``Delta requires … free space, but only … available``.
    """
    from ostree.repo.static_delta.offline import check_commit

    for superblocks in deltas.values():
        for superblock in superblocks:
            _check(superblock)
        check_commit(superblocks[-1])
    _require_space(repo, deltas.values())


def estimate(repo: Repo, deltas: Mapping[Checksum, Sequence[Superblock]]) -> DeltaEstimate:
    """What is still needed of deltas."""
    total = DeltaEstimate()
    for superblocks in deltas.values():
        for superblock in superblocks:
            for part in superblock.parts:
                if not all(repo.has_object(checksum, type) for type, checksum in part.each_name()):
                    total.parts += 1
                    total.size += part.size
                    total.plain_size += part.plain_size
            for fallback in superblock.fallbacks:
                if not repo.has_object(fallback.checksum, ObjectType.FILE):
                    total.parts += 1
                    total.size += fallback.size
                    total.plain_size += fallback.plain_size
    return total


def may_use_deltas(repo: Repo, options: PullOptions) -> bool:
    """Whether a pull may use deltas at all."""
    if options.disable_static_deltas or options.commit_metadata_only:
        return False
    if repo.mode is RepoMode.ARCHIVE:
        return False
    # A delta brings the whole of a commit.
    return options.require_static_deltas or not options.subpaths


def _check(superblock: Superblock) -> None:
    from ostree.repo.static_delta.offline import check_version
    from ostree.repo.static_delta.payload_file import most_plain

    for part in superblock.parts:
        check_version(part)
        # What is announced is what a server may send, and the disk has to hold.
        if part.size > most_plain(part) + 1:
            raise FormatError(
                f"Static delta part of {part.size} bytes is larger than its objects can make it"
            )
    for fallback in superblock.fallbacks:
        if fallback.type.is_metadata:
            raise FormatError(
                f"Found metadata object as fallback: {fallback.checksum}.{fallback.type.extension}"
            )


def _require_space(repo: Repo, deltas: Iterable[Sequence[Superblock]]) -> None:
    needed = sum(
        superblock.part_plain_size + superblock.fallback_plain_size
        for superblocks in deltas
        for superblock in superblocks
    )
    info = os.statvfs(repo.dir_fd)
    available = info.f_bfree * info.f_frsize
    if needed > available:
        raise SpaceError(
            f"Delta requires {format_size(needed)} free space, "
            f"but only {format_size(available)} available"
        )
