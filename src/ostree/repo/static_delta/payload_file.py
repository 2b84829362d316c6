"""The payload of a part, taken out of its file without trusting what it says of itself."""

from __future__ import annotations

from ostree.formats.delta import part as part_format
from ostree.repo.object_errors import write_error
from ostree.system.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.delta.part import Payload
    from ostree.formats.delta.superblock import PartHeader

    Buffer = bytes | memoryview

#: What a payload may have beyond its objects: tables, checksums, targets of links.
_SLACK = 64 << 20
_SLACK_PER_OBJECT = 8 << 10
#: A patch can be larger than what it makes, if not by much.
_FACTOR = 4
#: Bytes of it that stay in memory.
MOST_HELD = 32 << 20


def most_plain(header: PartHeader) -> int:
    """The most bytes that the payload of a part can have."""
    return header.plain_size * _FACTOR + header.count * _SLACK_PER_OBJECT + _SLACK


def load_payload(file: Buffer, header: PartHeader, tmp_fd: int) -> Payload:
    """Decompress and parse a part's file.

    Args:
        file: Its bytes.
        header: What the superblock says of it, which bounds how large it may become.
        tmp_fd: A directory for what is too large for the memory.

    Raises:
        FormatError: if it is damaged, or larger than its objects can make it.
        RepoError: if there is no room for it.
    """
    limit = most_plain(header)
    plain = part_format.stored(file, limit)
    if plain is not None:
        return part_format.decode(plain)
    with Spool(tmp_fd, most_held=MOST_HELD) as spool:
        try:
            for piece in part_format.decompress(file, limit):
                spool.write(piece)
            data = spool.take()
        except OSError as error:
            raise write_error("Writing static delta part", error) from error
    return part_format.decode(data)
