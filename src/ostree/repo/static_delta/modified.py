"""How a file is made from the one that it resembles (static deltas §4.5, §5)."""

from __future__ import annotations

from ostree.formats.delta import bsdiff, edits, rollsum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.delta.rollsum import Matches
    from ostree.repo.objects import ObjectSource
    from ostree.repo.static_delta.plan import NewFile
    from ostree.types import Checksum


class Patch:
    """A way to make a file from its partner.

    Attributes:
        file: The file.
        partner: What it is made from.
        stream: A bsdiff stream; None if there is none.
        matches: Pieces that the partner has; None if they are not what it is made of.
        literals: What is between and behind them, back to back.
    """

    __slots__ = ("file", "literals", "matches", "partner", "stream")

    def __init__(
        self,
        file: NewFile,
        partner: Checksum,
        *,
        stream: bytes | None = None,
        matches: Matches | None = None,
        literals: bytes = b"",
    ) -> None:
        self.file = file
        self.partner = partner
        self.stream = stream
        self.matches = matches
        self.literals = literals


def compare(repo: ObjectSource, file: NewFile, partner: Checksum, *, use_bsdiff: bool) -> Patch:
    """Find a way to make a file from its partner; may run on any thread.

    Raises:
        ObjectNotFoundError: if one of them is not there.
    """
    old, new = read_whole(repo, partner), read_whole(repo, file.checksum)
    matches = rollsum.match(old, new)
    if matches is not None:
        return Patch(file, partner, matches=matches, literals=_literals(new, matches))
    if not use_bsdiff:
        return Patch(file, partner)
    stream = edits.diff(old, new)
    return Patch(file, partner, stream=bsdiff.diff(old, new) if stream is None else stream)


def _literals(data: bytes, matches: Matches) -> bytes:
    pieces = []
    at = 0
    for match in matches.matches:
        pieces.append(data[at : match.offset])
        at = match.offset + match.size
    pieces.append(data[at:])
    return b"".join(pieces)


def read_whole(repo: ObjectSource, checksum: Checksum) -> bytes:
    """The content of a regular file."""
    with repo.load_content(checksum) as content:
        pieces = []
        while piece := content.read(content.size + 1):
            pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
