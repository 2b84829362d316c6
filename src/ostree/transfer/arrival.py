"""Metadata objects as a remote has sent them: what they hold, if they are what they should be."""

from __future__ import annotations

import hashlib

from ostree.errors import CorruptionError
from ostree.formats import commit as commit_format
from ostree.formats import commitmeta, dirmeta
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ostree.formats.commit import Commit
    from ostree.formats.delta.superblock import Superblock
    from ostree.types import Checksum, DirMeta

    Decoded = TypeVar("Decoded")


#: Largest detached metadata of a commit, in bytes.  Nothing proves it before it is looked into,
#: and it takes ten times as much memory then.
MAX_DETACHED = 10 << 20


def require_checksum(checksum: Checksum, type: ObjectType, data: bytes | memoryview) -> None:
    """Refuse bytes that are not those of the object.

    Raises:
        CorruptionError: ``Corrupted commit object; checksum expected='…' actual='…'``.
    """
    actual = hashlib.sha256(data).hexdigest()
    if actual != checksum:
        from ostree.repo.object_errors import corrupted

        raise corrupted(type, checksum, actual)


def decode_commit(checksum: Checksum, data: bytes) -> Commit:
    """What a commit holds.

    Raises:
        CorruptionError: ``HEX.commit: …``, as with that below.
    """
    return _decode(commit_format.decode, ObjectType.COMMIT, checksum, data)


def decode_dirmeta(checksum: Checksum, data: bytes) -> DirMeta:
    """What a directory's metadata is."""
    return _decode(dirmeta.decode, ObjectType.DIRMETA, checksum, data)


def detached_in(superblock: Superblock) -> bytes | None:
    """The detached metadata that a delta has with its commit."""
    detached = superblock.commitmeta
    return None if detached is None else commitmeta.encode(detached)


def _decode(
    decode: Callable[[bytes], Decoded], type: ObjectType, checksum: Checksum, data: bytes
) -> Decoded:
    try:
        return decode(data)
    except CorruptionError as error:
        error.add_prefix(f"{checksum}.{type.extension}")
        raise
