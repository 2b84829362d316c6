"""The framing of OpenPGP packets (RFC 4880 §4.2), as far as signatures need it."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats import base64_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: The tag of signature packets.
SIGNATURE = 2
_BEGIN = "-----BEGIN PGP SIGNATURE-----\n"
_END = "-----END PGP SIGNATURE-----"


def packets(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each packet's tag, and where it begins and ends.

    Raises:
        FormatError: if this is no sequence of whole packets of known length; armour, and packets
            in pieces, which only hold streams, are none.
    """
    position = 0
    while position < len(data):
        tag, start, length = _header(data, position)
        end = start + length
        if end > len(data):
            raise FormatError("OpenPGP packet is cut short", offset=position)
        yield tag, position, end
        position = end


def signature_packets(data: bytes) -> list[bytes]:
    """The signature packets in a sequence of nothing else.

    Raises:
        FormatError: if there is anything else.
    """
    found = []
    for tag, start, end in packets(data):
        if tag != SIGNATURE:
            raise FormatError(f"OpenPGP packet {tag} among signatures", offset=start)
        found.append(data[start:end])
    return found


def dearmored(data: bytes) -> bytes:
    """A signature without its armour; what has none, or a broken one, stays as it is."""
    text = data.decode("ascii", "replace").replace("\r\n", "\n").strip()
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        return data
    _, _, body = text.partition("\n\n")
    lines = body.removesuffix(_END).split("\n")
    # The line with the checksum says nothing that the signature does not.
    return base64_text.decode("".join(line for line in lines if not line.startswith("=")))


def _header(data: bytes, position: int) -> tuple[int, int, int]:
    """Tag, start of the body, length of the body."""
    first = data[position]
    if not first & 0x80:
        raise FormatError("No OpenPGP packet", offset=position)
    if first & 0x40:
        return (first & 0x3F, *_new_length(data, position + 1))
    size = 1 << (first & 3)
    if size == 8:
        raise FormatError("OpenPGP packet without length", offset=position)
    start = position + 1 + size
    return first >> 2 & 0x0F, start, int.from_bytes(_field(data, position + 1, size), "big")


def _new_length(data: bytes, position: int) -> tuple[int, int]:
    first = _field(data, position, 1)[0]
    if first < 192:
        return position + 1, first
    if first < 224:
        second = _field(data, position + 1, 1)[0]
        return position + 2, (first - 192 << 8) + second + 192
    if first == 255:
        return position + 5, int.from_bytes(_field(data, position + 1, 4), "big")
    raise FormatError("OpenPGP packet in pieces", offset=position)


def _field(data: bytes, position: int, size: int) -> bytes:
    field = data[position : position + size]
    if len(field) < size:
        raise FormatError("OpenPGP packet is cut short", offset=position)
    return field
