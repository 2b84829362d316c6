"""Scripts as U-Boot's ``source`` takes them: what ``mkimage -T script`` makes.

A header of 64 bytes, big-endian: magic, checksum of the header with zero in its place, time,
size of the data, two addresses, checksum of the data, system, architecture, type, compression, name.
The data is a table of lengths that ends with 0, and the text.
"""

from __future__ import annotations

import struct
from binascii import crc32

from ostree.errors import FormatError

_HEADER = struct.Struct(">IIIIIIIBBBB32s")
_MAGIC = 0x27051956
_LINUX, _SCRIPT, _UNCOMPRESSED = 5, 6, 0
#: Architectures by the names of mkimage.  U-Boot does not compare them for scripts.
ARCHITECTURES = {"arm": 2, "x86": 3, "mips": 5, "ppc": 7, "arm64": 22, "x86_64": 24, "riscv": 26}
_MAX_SCRIPT = 1 << 20


def encode(text: bytes, *, architecture: str = "arm", name: str = "", time: int = 0) -> bytes:
    """A script ready to be loaded.

    Args:
        text: The commands.
        architecture: One of :data:`ARCHITECTURES`.
        name: Shown by U-Boot; at most 32 bytes of ASCII are kept.
        time: Seconds since the epoch, shown by U-Boot.

    Raises:
        FormatError: the script is too long.
    """
    if len(text) > _MAX_SCRIPT:
        raise FormatError(f"A script of {len(text)} bytes is too long")
    data = struct.pack(">II", len(text), 0) + text
    label = name.encode("ascii", "replace")[:32]

    def header(checksum: int) -> bytes:
        kind = (_LINUX, ARCHITECTURES[architecture], _SCRIPT, _UNCOMPRESSED)
        return _HEADER.pack(_MAGIC, checksum, time, len(data), 0, 0, crc32(data), *kind, label)

    return header(crc32(header(0))) + data


def is_script(data: bytes) -> bool:
    """Whether it has the header already."""
    return data[:4] == _MAGIC.to_bytes(4, "big")
