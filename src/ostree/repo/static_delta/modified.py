"""How a file is made from the one that it resembles (static deltas §4.5, §5)."""

from __future__ import annotations

from ostree.formats.delta import bsdiff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.objects import ObjectSource
    from ostree.repo.static_delta.plan import NewFile
    from ostree.types import Checksum


class Patch:
    """A way to make a file from its partner.

    Attributes:
        file: The file.
        stream: A bsdiff stream; None if there is none.
    """

    __slots__ = ("file", "stream")

    def __init__(self, file: NewFile, *, stream: bytes | None = None) -> None:
        self.file = file
        self.stream = stream


def compare(repo: ObjectSource, file: NewFile, partner: Checksum, *, use_bsdiff: bool) -> Patch:
    """Find a way to make a file from its partner; may run on any thread.

    Raises:
        ObjectNotFoundError: if one of them is not there.
    """
    if not use_bsdiff:
        return Patch(file)
    old, new = read_whole(repo, partner), read_whole(repo, file.checksum)
    return Patch(file, stream=bsdiff.diff(old, new))


def read_whole(repo: ObjectSource, checksum: Checksum) -> bytes:
    """The content of a regular file."""
    with repo.load_content(checksum) as content:
        pieces = []
        while piece := content.read(content.size + 1):
            pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
