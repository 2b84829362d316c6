"""Checksums of file objects (repository format §2.4)."""

from __future__ import annotations

import hashlib

from ostree.formats.file_header import content_prefix
from ostree.store.content import CHUNK
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.store.content import LoadedContent
    from ostree.types import FileHeader


def checksum_bytes(header: FileHeader, data: bytes) -> Checksum:
    """The checksum of a file whose content is in memory."""
    digest = hashlib.sha256(content_prefix(header))
    digest.update(data)
    return Checksum.of_digest(digest.digest())


def checksum_loaded(content: LoadedContent) -> Checksum:
    """The checksum of a stored object, read to its end."""
    digest = hashlib.sha256(content_prefix(content.header))
    left = content.size
    # Asking for no more than there can be keeps the buffers of small files small.
    while data := content.read(min(CHUNK, left + 1)):
        digest.update(data)
        left = max(0, left - len(data))
    return Checksum.of_digest(digest.digest())
