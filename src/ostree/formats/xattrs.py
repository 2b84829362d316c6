"""Extended attributes ``a(ayay)`` (repository format §2.4)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.framing import join_array, pack_offsets, split_array, tuple_offset, width_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.types import Xattrs


def encode(xattrs: Xattrs) -> bytes:
    """Serialise attributes that are in canonical form; names get their NUL here."""
    elements = []
    for name, value in xattrs:
        body = name + b"\0" + value
        width = width_for(len(body), 1)
        elements.append(body + pack_offsets((len(name) + 1,), width))
    return join_array(elements)


def decode(data: bytes) -> Xattrs:
    """Parse attributes.

    Raises:
        FormatError: if not in normal form, or a name is empty, unterminated, repeated or unsorted.
    """
    if not data:
        return ()
    found: list[tuple[bytes, bytes]] = []
    previous: bytes | None = None
    for index, element in enumerate(split_array(data, "xattrs")):
        end, body = tuple_offset(element, "xattrs")
        name, value = element[:end], element[end:body]
        if len(name) < 2 or name[-1] or b"\0" in name[:-1]:
            raise FormatError(f"Invalid xattr name (empty or missing NUL) index={index}")
        name = name[:-1]
        if previous is not None and name <= previous:
            if name == previous:
                raise FormatError(f"Duplicate xattr name, index={index}")
            before = previous.decode("utf-8", "replace")
            here = name.decode("utf-8", "replace")
            raise FormatError(
                f"Incorrectly sorted xattr name (prev={before}, cur={here}), index={index}"
            )
        previous = name
        found.append((name, value))
    return tuple(found)
