"""What a delta consists of, counted (static deltas §8.4)."""

from __future__ import annotations

from ostree.formats.delta import operation
from ostree.formats.delta import part as part_format
from ostree.repo.static_delta import storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.formats.delta.superblock import PartHeader, Superblock
    from ostree.repo.repository import Repo


class PartStatistics:
    """What is in one part.

    Attributes:
        modes: Entries of the table of modes.
        xattrs: Entries of the table of extended attributes.
        data_size: Bytes of data.
        operations_size: Bytes of operations.
        counts: How often each operation occurs, by its code.
    """

    __slots__ = ("counts", "data_size", "modes", "operations_size", "xattrs")

    def __init__(self, header: PartHeader, file: bytes) -> None:
        payload = part_format.decode(b"".join(part_format.decompress(file, storage.MAX_PART)))
        self.modes = len(payload.modes)
        self.xattrs = len(payload.xattrs)
        self.data_size = len(payload.data)
        self.operations_size = len(payload.operations)
        self.counts = dict.fromkeys(operation.NAMES, 0)
        splices = (2 if type.is_metadata else 4 for type, _ in header.names())
        for code, _ in operation.operations(payload.operations, splices):
            self.counts[code] += 1


def part_statistics(repo: Repo, superblock: Superblock) -> Iterator[PartStatistics]:
    """The contents of each part, read from the repository or, if it is inline, the superblock.

    Raises:
        NotFoundError: ``openat(deltas/…/0): No such file or directory``.
        FormatError: if a part is damaged.
    """
    for index, header in enumerate(superblock.parts):
        file = superblock.inline_part(index)
        if file is None:
            file = storage.read_part(repo, superblock.name, index)
        yield PartStatistics(header, file)
