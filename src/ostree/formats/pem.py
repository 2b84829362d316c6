"""PEM: binary keys in text between ``-----BEGIN …-----`` and ``-----END …-----`` (RFC 7468)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats import base64_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN = "-----BEGIN "
_END = "-----END "
_DASHES = "-----"


def blocks(text: str) -> Iterator[tuple[str, bytes]]:
    """The label and the content of each block; what is outside of blocks is skipped.

    Raises:
        FormatError: ``Unmatched PEM header``, ``PEM trailer not found``.
    """
    label: str | None = None
    body: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if label is None:
            label = _label(line, _BEGIN)
            body = []
        elif (ended := _label(line, _END)) is not None:
            if ended != label:
                raise FormatError("Unmatched PEM header")
            yield label, base64_text.decode("".join(body))
            label = None
        else:
            body.append(line)
    if label is not None:
        raise FormatError("PEM trailer not found")


def _label(line: str, mark: str) -> str | None:
    if line.startswith(mark) and line.endswith(_DASHES) and len(line) >= len(mark) + len(_DASHES):
        return line[len(mark) : -len(_DASHES)]
    return None
