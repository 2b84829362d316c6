"""Lists of what to check out: REV NUL SUBPATH NUL, and so on (repository format §6.7)."""

from __future__ import annotations

import os

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_CHUNK = 4096
#: More than any path can have.
_MAX_WORD = 1 << 20


def read_list(stream: BinaryIO) -> Iterator[tuple[str, str | None]]:
    """Revisions and paths within them, each pair as soon as it is complete.

    An empty revision ends the list.  A last one without a path means the whole tree: None.

    Raises:
        FormatError: if a word has no end.
    """
    words = _words(stream)
    for rev in words:
        if not rev:
            return
        yield rev, next(words, None)


def _words(stream: BinaryIO) -> Iterator[str]:
    left = b""
    while chunk := _read_some(stream):
        *complete, left = (left + chunk).split(b"\0")
        for word in complete:
            yield os.fsdecode(word)
        if len(left) > _MAX_WORD:
            raise FormatError("A word in the list of checkouts has no end")
    if left:
        yield os.fsdecode(left)


def _read_some(stream: BinaryIO) -> bytes:
    """What there is, without waiting for more: somebody may be writing it word by word."""
    return os.read(stream.fileno(), _CHUNK)
