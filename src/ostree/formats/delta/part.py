"""Parts: a compression byte, and behind it modes, attributes, data and operations (§4.1, §4.2)."""

from __future__ import annotations

import struct

from ostree.errors import FormatError
from ostree.formats import xattrs as xattrs_format
from ostree.formats.framing import join_array, pack_offsets, split_array, width_for, width_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.types import Xattrs

    Buffer = bytes | memoryview

#: The first byte of a part's file.
UNCOMPRESSED = 0x00
XZ = 0x78

#: Memory that decoding xz may take, in bytes.
MAX_DECODER_MEMORY = 100 << 20
#: The dictionary of the preset that upstream uses, in bytes.
MAX_DICTIONARY = 32 << 20
_LEAST_DICTIONARY = 64 << 10
#: How many times its dictionary an encoder takes.
_ENCODER_FACTOR = 12
_PRESET = 8
#: Bytes that are taken from the decoder at a time: memory of that size is used again and again.
_CHUNK = 1 << 18
_FEED = 1 << 16

_MODE = struct.Struct(">III")

Mode = tuple[int, int, int]


class Payload:
    """A part without its compression.

    Attributes:
        modes: Distinct (uid, gid, mode), the mode with its type bits.
        xattrs: Distinct lists of extended attributes.
        data: What the operations refer to.
        operations: The byte code.
    """

    __slots__ = ("data", "modes", "operations", "xattrs")

    def __init__(
        self,
        modes: Sequence[Mode],
        xattrs: Sequence[Xattrs],
        data: Buffer,
        operations: Buffer,
    ) -> None:
        self.modes = list(modes)
        self.xattrs = list(xattrs)
        self.data = data
        self.operations = operations


def encode_start(modes: Sequence[Mode], xattrs: Sequence[Xattrs]) -> tuple[bytes, int]:
    """What precedes the data of a payload, and where in it the attributes begin."""
    packed = b"".join(_MODE.pack(*mode) for mode in modes)
    return packed + join_array([xattrs_format.encode(found) for found in xattrs]), len(packed)


def encode_end(modes_end: int, xattrs_end: int, data_size: int, operations: bytes) -> bytes:
    """What follows the data of a payload: operations and framing."""
    data_end = xattrs_end + data_size
    width = width_for(data_end + len(operations), 3)
    return operations + pack_offsets((data_end, xattrs_end, modes_end), width)


def encode(payload: Payload) -> bytes:
    """Serialise a payload in one piece."""
    start, modes_end = encode_start(payload.modes, payload.xattrs)
    operations = bytes(payload.operations)
    end = encode_end(modes_end, len(start), len(payload.data), operations)
    return b"".join((start, payload.data, end))


def decode(data: Buffer) -> Payload:
    """Parse a payload; its data and operations are views of what is given.

    Raises:
        FormatError: ``Not normal form``, naming the field.
    """
    view = memoryview(data)
    size = len(view)
    width = width_in(size)
    body = size - 3 * width
    if body < 0:
        raise FormatError("Not normal form", offset=0, field="delta part")
    data_end, xattrs_end, modes_end = (
        int.from_bytes(view[at : at + width], "little") for at in range(body, size, width)
    )
    if not modes_end <= xattrs_end <= data_end <= body or modes_end % _MODE.size:
        raise FormatError("Not normal form", offset=body, field="delta part")
    modes: list[Mode] = list(_MODE.iter_unpack(view[:modes_end]))
    elements = split_array(bytes(view[modes_end:xattrs_end]), "delta part xattrs")
    return Payload(
        modes,
        [xattrs_format.decode(element) for element in elements],
        view[xattrs_end:data_end],
        view[data_end:body],
    )


class Compressor:
    """Makes the file of a part from its payload, piece by piece, with upstream's settings.

    Args:
        max_memory: Bytes that the encoder may take, at the price of a smaller dictionary.
    """

    __slots__ = ("_coder", "_started")

    def __init__(self, max_memory: int | None = None) -> None:
        import lzma

        dictionary = MAX_DICTIONARY
        while max_memory is not None and dictionary > _LEAST_DICTIONARY:
            if dictionary * _ENCODER_FACTOR <= max_memory:
                break
            dictionary //= 2
        filters = [{"id": lzma.FILTER_LZMA2, "preset": _PRESET, "dict_size": dictionary}]
        self._coder = lzma.LZMACompressor(lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=filters)
        self._started = False

    def write(self, data: Buffer) -> bytes:
        """What the next piece of the payload adds to the file."""
        return self._prefix() + self._coder.compress(data)

    def finish(self) -> bytes:
        """The rest of the file."""
        return self._prefix() + self._coder.flush()

    def _prefix(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        return bytes((XZ,))


def stored(file: Buffer, limit: int) -> memoryview | None:
    """The payload in a part's file if it is not compressed, else None.

    Raises:
        FormatError: if it has more than ``limit`` bytes.
    """
    view = memoryview(file)
    if not view or view[0] != UNCOMPRESSED:
        return None
    if len(view) - 1 > limit:
        raise _too_large(limit)
    return view[1:]


def decompress(file: Buffer, limit: int) -> Iterator[Buffer]:
    """The payload in a part's file, in pieces; no more than ``limit`` bytes.

    Raises:
        FormatError: in upstream's words.
    """
    view = memoryview(file)
    if not view:
        raise FormatError("Not normal form", offset=0, field="delta part")
    kind = view[0]
    plain = stored(view, limit)
    if plain is not None:
        yield plain
    elif kind == XZ:
        yield from _decompress_xz(view[1:], limit)
    else:
        raise FormatError(f"Invalid compression type '{kind}'")


def _decompress_xz(stream: memoryview, limit: int) -> Iterator[bytes]:
    import lzma

    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_DECODER_MEMORY)
    total = at = 0
    while not decoder.eof:
        data: Buffer = b""
        if decoder.needs_input:
            data = stream[at : at + _FEED]
            at += _FEED
            if not data:
                raise FormatError("Input buffer too small")
        try:
            piece = decoder.decompress(data, _CHUNK)
        except (lzma.LZMAError, MemoryError) as error:
            raise FormatError(_reason(error)) from error
        total += len(piece)
        if total > limit:
            raise _too_large(limit)
        yield piece


def _reason(error: Exception) -> str:
    """What upstream says of an error of the decoder."""
    text = str(error)
    for words, reason in (
        ("not supported by decoder", "File format not recognized"),
        ("Memory usage limit", "Exceeded memory limit"),
        ("Corrupt", "Data is corrupt"),
        ("Unsupported", "Invalid or unsupported options"),
        ("Invalid", "Invalid or unsupported options"),
    ):
        if words in text:
            return reason
    return "Stream is corrupt"


def _too_large(limit: int) -> FormatError:
    return FormatError(f"Static delta part is larger than {limit} bytes when decompressed")
