"""Where the byte code of a part can be cut, so that several may carry it out (§4.3, §4.4)."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER = rb"[\x80-\xff]{0,9}+[\x00-\x7f]"
#: The operations of an object that owes nothing to those before it; one that was made from another
#: file may have sent reads back to the data once more.
_METADATA = re.compile(rb"R?+S(?:%b){2}" % _NUMBER)
_FILE = re.compile(
    rb"R?+(?:S(?:%b){4}|(?:r%b)?+o(?:%b){3}(?:[wB](?:%b){2}|r%b|R){0,50000}+c)" % ((_NUMBER,) * 5)
)


class Batch:
    """Objects that are written one behind the other.

    Attributes:
        offset: Where in the byte code their operations begin.
        first: The index of the first object.
        end: The index behind that of the last one.
    """

    __slots__ = ("end", "first", "offset")

    def __init__(self, offset: int, first: int, end: int) -> None:
        self.offset = offset
        self.first = first
        self.end = end

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Batch):
            return NotImplemented
        return (self.offset, self.first, self.end) == (other.offset, other.first, other.end)

    __hash__ = None  # type: ignore[assignment]  # no use for it

    def __repr__(self) -> str:
        return f"Batch({self.offset}, {self.first}, {self.end})"


def cut(
    operations: bytes, are_metadata: Sequence[bool], size: int
) -> tuple[list[Batch], list[Batch]] | None:
    """Cut a byte code into batches of objects that do not need each other's operations.

    Args:
        operations: The byte code.
        are_metadata: For each object of the part whether it is metadata.
        size: Most objects in a batch.

    Returns:
        Batches of metadata, and batches of files.  None if it cannot be cut, or does not write
        all objects and nothing else; what may be wrong with it is for those to tell who execute it.
    """
    metadata: list[Batch] = []
    files: list[Batch] = []
    batch: Batch | None = None
    was_metadata = False
    at = 0
    for index, is_metadata in enumerate(are_metadata):
        match = (_METADATA if is_metadata else _FILE).match(operations, at)
        if match is None:
            return None
        if batch is None or is_metadata != was_metadata or index - batch.first == size:
            batch = Batch(at, index, index)
            (metadata if is_metadata else files).append(batch)
        batch.end = index + 1
        was_metadata = is_metadata
        at = match.end()
    return None if operations[at:] not in (b"", b"R") else (metadata, files)
