"""Storing one file object from wherever it comes (repository format §2.4)."""

from __future__ import annotations

import hashlib

from ostree.errors import CorruptionError, OSTreeError
from ostree.formats.file_header import content_prefix
from ostree.repo.hashing import checksum_bytes
from ostree.store.content import CHUNK, SMALL
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.store.content import LoadedContent
    from ostree.store.store import LooseStore


def import_loaded(
    store: LooseStore,
    content: LoadedContent,
    charge: Callable[[int], None],
    expected: Checksum | None,
) -> tuple[Checksum, bool]:
    """Store an object that another store has loaded; its name, and whether it is new.

    Raises:
        ChecksumError: if its checksum is not the expected one.
        RepoError: if the store cannot hold it.
    """
    from ostree.repo.object_errors import write_error

    try:
        if content.size <= SMALL:
            return _import_small(store, content, charge, expected)
        return _import_large(store, content, charge, expected)
    except OSError as error:
        raise write_error("Writing content object", error) from error
    except OSTreeError as error:
        error.add_prefix("Writing content object")
        raise


def _import_small(
    store: LooseStore,
    content: LoadedContent,
    charge: Callable[[int], None],
    expected: Checksum | None,
) -> tuple[Checksum, bool]:
    parts = []
    while data := content.read(SMALL):
        parts.append(data)
    whole = parts[0] if len(parts) == 1 else b"".join(parts)
    checksum = checksum_bytes(content.header, whole)
    _verify(expected, checksum)
    if store.has(checksum, ObjectType.FILE):
        return checksum, False
    charge(len(whole))
    return checksum, store.put_bytes(checksum, content.header, whole)


def _import_large(
    store: LooseStore,
    content: LoadedContent,
    charge: Callable[[int], None],
    expected: Checksum | None,
) -> tuple[Checksum, bool]:
    charge(content.size)
    digest = hashlib.sha256(content_prefix(content.header))
    received = 0
    with store.begin(content.header, content.size) as writer:
        while data := content.read(CHUNK):
            received += len(data)
            if received > content.size:
                break
            digest.update(data)
            writer.write(data)
        if received != content.size:
            raise CorruptionError(f"Content is {received} bytes long, not {content.size}")
        checksum = Checksum.of_digest(digest.digest())
        _verify(expected, checksum)
        return checksum, writer.finish(checksum)


def _verify(expected: Checksum | None, actual: Checksum) -> None:
    from ostree.repo.object_errors import corrupted

    if expected is not None and actual != expected:
        raise corrupted(ObjectType.FILE, expected, actual)
