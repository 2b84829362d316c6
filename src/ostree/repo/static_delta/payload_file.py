"""The payload of a part, taken out of its file: small ones in memory, large ones on the disk."""

from __future__ import annotations

import mmap

from ostree.formats.delta import part as part_format
from ostree.system import files
from ostree.system.anonymous import AnonymousFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.delta.part import Payload
    from ostree.formats.delta.superblock import PartHeader

    Buffer = bytes | memoryview

#: Bytes that are held in memory.
_MOST_HELD = 16 << 20
#: What a payload may have beyond its objects: tables, checksums, targets of links.
_SLACK = 64 << 20
_SLACK_PER_OBJECT = 8 << 10
#: A patch can be larger than what it makes, if not by much.
_FACTOR = 4


def load_payload(file: Buffer, header: PartHeader, tmp_fd: int) -> Payload:
    """Decompress and parse a part's file.

    Args:
        file: Its bytes.
        header: What the superblock says of it, which bounds how large it may become.
        tmp_fd: A directory for what is too large for the memory.

    Raises:
        FormatError: if it is damaged, or larger than its objects can make it.
    """
    limit = header.plain_size * _FACTOR + header.count * _SLACK_PER_OBJECT + _SLACK
    held: list[Buffer] = []
    size = 0
    pieces = part_format.decompress(file, limit)
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > _MOST_HELD:
            break
    else:
        return part_format.decode(held[0] if len(held) == 1 else b"".join(held))
    with AnonymousFile(tmp_fd) as spool:
        for piece in held:
            files.write_all(spool.fd, piece)
        held.clear()
        for piece in pieces:
            files.write_all(spool.fd, piece)
        # The views that the payload consists of keep it.
        return part_format.decode(memoryview(mmap.mmap(spool.fd, 0, prot=mmap.PROT_READ)))
